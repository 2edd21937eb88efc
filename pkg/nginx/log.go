package nginx

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
)

// logKept is how many lines of a child are remembered.
const logKept = 200

// errorLog remembers what our child has written last.
type errorLog struct {
	mu    sync.Mutex
	lines []Message
	// total counts all lines ever.
	total int
}

func (l *errorLog) add(m Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	if l.lines = append(l.lines, m); len(l.lines) > logKept {
		l.lines = l.lines[len(l.lines)-logKept:]
	}
}

// since returns the lines after the first seen ones, as far as they are kept,
// and how many there are by now.
func (l *errorLog) since(seen int) (lines []Message, total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := max(0, len(l.lines)-(l.total-seen))
	return append(lines, l.lines[first:]...), l.total
}

// errorLogPattern finds the file of the main error log.
var errorLogPattern = regexp.MustCompile(`(?m)^error_log\s+"?(/[^\s";]+)`)

// hearing collects what nginx's master logs from a moment on: from the pipe
// of our child, and from the log of the configuration where it is a file.
// A master that refuses a configuration at run time tells it nowhere else.
type hearing struct {
	master process
	log    *errorLog
	seen   int
	file   *os.File // nil where there is none
	rest   []byte   // of a line that is not whole yet
	heard  []Message
	// fatal is when a message was heard that means that the master gives up.
	fatal time.Time
}

// hear begins a hearing. text is the configuration whose log is read.
func (n *Nginx) hear(master process, text []byte) *hearing {
	h := &hearing{master: master, log: &n.log}
	_, h.seen = n.log.since(0)
	m := errorLogPattern.FindSubmatch(text)
	if m == nil {
		return h
	}
	if info, err := os.Stat(string(m[1])); err != nil || !info.Mode().IsRegular() {
		return h // /dev/stderr, or not there yet
	}
	f, err := os.Open(string(m[1]))
	if err != nil {
		return h // a log that only nginx may read
	}
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		_ = f.Close() // it was only opened
		return h
	}
	h.file = f
	return h
}

// heardAtOnce bounds what is read of a log that is written fast.
const heardAtOnce = 1 << 20

// messages returns the master's errors and warnings so far.
func (h *hearing) messages() []Message {
	var lines []Message
	lines, h.seen = h.log.since(h.seen)
	if h.file != nil {
		// What cannot be read is missing in a message of ours, and nothing
		// else.
		data, _ := io.ReadAll(io.LimitReader(h.file, heardAtOnce))
		h.rest = append(h.rest, data...)
		if i := bytes.LastIndexByte(h.rest, '\n'); i >= 0 {
			lines = append(lines, parseMessages(string(h.rest[:i]))...)
			h.rest = h.rest[i+1:]
		}
	}
	for _, m := range lines {
		if m.PID == h.master.pid && severity(m.Level) <= severity("warn") {
			h.heard = append(h.heard, m)
		}
	}
	return h.heard
}

func (h *hearing) close() {
	if h.file != nil {
		_ = h.file.Close() // it was only read
	}
}

// refuses tells whether a message of the master means that it gives up. A
// socket that cannot be bound is tried five times.
func (m Message) refuses() bool {
	return m.Level == "emerg" && !strings.HasPrefix(m.Text, "bind() to ")
}
