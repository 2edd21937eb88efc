package nginx

import (
	"context"
	"os"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMessage(t *testing.T) {
	tests := map[string]Message{
		`nginx: [emerg] unknown directive "foo" in /etc/nginx/nginx.conf:12`:                                           {"emerg", 0, `unknown directive "foo" in /etc/nginx/nginx.conf:12`, "/etc/nginx/nginx.conf", 12},
		`2026/11/23 21:33:03 [emerg] 17096#17096: invalid URL prefix in /a b/nginx.conf:3`:                             {"emerg", 17096, "invalid URL prefix in /a b/nginx.conf:3", "/a b/nginx.conf", 3},
		`2026/11/23 21:33:03 [warn] 1#1: conflicting server name "a" on 0.0.0.0:80, ignored`:                           {"warn", 1, `conflicting server name "a" on 0.0.0.0:80, ignored`, "", 0},
		`2026/11/23 21:33:03 [error] 7#8: *42 connect() failed (111: Connection refused) while connecting to upstream`: {"error", 7, "connect() failed (111: Connection refused) while connecting to upstream", "", 0},
		`2026/11/23 21:33:03 [emerg] 1#1: bind() to 0.0.0.0:80 failed (98: Address already in use)`:                    {"emerg", 1, "bind() to 0.0.0.0:80 failed (98: Address already in use)", "", 0},
		`2026/11/23 21:33:03 [emerg] 1#1: cannot load certificate "/x in y:3": BIO_new_file() failed`:                  {"emerg", 1, `cannot load certificate "/x in y:3": BIO_new_file() failed`, "", 0},
		`2026/11/23 21:33:03 [emerg] 1#1: host not found in upstream "a:80" in /n.conf:7`:                              {"emerg", 1, `host not found in upstream "a:80" in /n.conf:7`, "/n.conf", 7},
		`nginx: configuration file /etc/nginx/nginx.conf test failed`:                                                  {Text: "nginx: configuration file /etc/nginx/nginx.conf test failed"},
		`free(): invalid pointer`: {Text: "free(): invalid pointer"},
		``:                        {},
	}
	for line, want := range tests {
		if diff := cmp.Diff(want, parseMessage(line)); diff != "" {
			t.Errorf("%q: (-want +got)\n%s", line, diff)
		}
	}
}

func TestRefusal(t *testing.T) {
	tests := []struct {
		name, out string
		message   string
		line      int
	}{
		{"the first fault is the cause", "nginx: [warn] w in /n:1\nnginx: [emerg] first in /n:2\nnginx: [emerg] second in /n:3\n", "first in /n:2", 2},
		{"the worst counts", "nginx: [alert] could not open error log file\nnginx: [emerg] bad in /n:2\n", "bad in /n:2", 2},
		{"no line of nginx's", "Segmentation fault\n", "Segmentation fault", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := refusal(parseMessages(tt.out), tt.out)
			if got.Message != tt.message || got.Line != tt.line || got.Output != tt.out {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestErrorLogKeepsTheLastLines(t *testing.T) {
	var l errorLog
	for i := range logKept + 10 {
		l.add(Message{PID: i})
	}
	lines, total := l.since(0)
	if total != logKept+10 || len(lines) != logKept || lines[0].PID != 10 {
		t.Errorf("%d lines of %d, the first is %d", len(lines), total, lines[0].PID)
	}
	l.add(Message{PID: -1})
	if lines, _ = l.since(total); len(lines) != 1 || lines[0].PID != -1 {
		t.Errorf("since: %+v", lines)
	}
}

func TestMachineFails(t *testing.T) {
	refusal := func(m string) error { return &RefusedError{Message: m} }
	tests := map[string]struct {
		err  error
		want bool
	}{
		"no file descriptors": {refusal(`open() "/x/access.log" failed (24: Too many open files)`), true},
		"no memory":           {refusal("mmap(MAP_ANON|MAP_SHARED, 262144) failed (12: Cannot allocate memory)"), true},
		"no disk":             {&os.PathError{Op: "write", Err: syscall.ENOSPC}, true},
		"a name too long":     {&os.PathError{Op: "open", Err: syscall.ENAMETOOLONG}, false},
		"a path of a user":    {refusal(`open() "/nowhere/x" failed (2: No such file or directory)`), false},
		"text of a user":      {refusal(`pcre2_compile() failed: missing ) in "^/(x failed (24: Too many open files)" at ""`), false},
		"no socket":           {refusal(`socket() unix:/tmp/x.sock failed (24: Too many open files)`), true},
		"a fault":             {refusal(`invalid URL prefix in /x:3`), false},
		"it was too slow":     {context.DeadlineExceeded, false},
		"at run time": {&UnconfirmedError{Refused: true, Log: []Message{
			{Level: "emerg", Text: "mmap(MAP_ANON|MAP_SHARED, 262144) failed (12: Cannot allocate memory)"},
		}}, true},
		"a port that is taken": {&UnconfirmedError{Refused: true, Log: []Message{{Level: "emerg", Text: "bind() to 0.0.0.0:80 failed (98: Address already in use)"}}}, false},
	}
	for name, tt := range tests {
		if got := MachineFails(tt.err); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
