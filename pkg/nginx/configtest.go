package nginx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// RefusedError says that nginx refuses a configuration. Nothing has changed:
// nginx serves what it served before.
type RefusedError struct {
	// Message is nginx's own, without time and level.
	Message string
	// File and Line are where; "" and 0 where nginx does not tell. File is a
	// path in the staged generation, or of a file that it names.
	File string
	Line int
	// Output is all that nginx printed.
	Output string
}

func (e *RefusedError) Error() string {
	return "nginx refuses the configuration, and goes on with the one before: " + e.Message
}

// Cause is the message without the place where it is: two refusals of the same
// thing in different files have the same.
func (e *RefusedError) Cause() string { return positionPattern.ReplaceAllString(e.Message, "") }

// errnoPattern finds the errors of calls of the system in nginx's messages,
// and not what looks like one in a text of a user that is quoted there.
var errnoPattern = regexp.MustCompile(`^\w+\([^"()]*\)(?: "[^"]*"| [^ "]+)? failed \((\d+): [A-Z]`)

// exhausted are the errors of a machine that has too little of something. No
// configuration is at fault for them.
var exhausted = []syscall.Errno{
	syscall.EIO, syscall.ENOMEM, syscall.ENFILE, syscall.EMFILE, syscall.ENOSPC, syscall.EDQUOT, syscall.EAGAIN,
}

// MachineFails tells whether the error says that the machine, or the container,
// is short of something, so that what nginx was to read cannot be at fault.
func MachineFails(err error) bool {
	var refused *RefusedError
	if errors.As(err, &refused) {
		return short(refused.Message)
	}
	var unconfirmed *UnconfirmedError
	if errors.As(err, &unconfirmed) {
		return slices.ContainsFunc(unconfirmed.Log, func(m Message) bool { return short(m.Text) })
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		// The kernel kills what takes the last memory.
		status, ok := exit.Sys().(syscall.WaitStatus)
		return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
	}
	var errno syscall.Errno
	return errors.As(err, &errno) && slices.Contains(exhausted, errno)
}

// short tells whether nginx says that it is short of something.
func short(message string) bool {
	m := errnoPattern.FindStringSubmatch(message)
	return m != nil && slices.Contains(exhausted, syscall.Errno(number(m[1])))
}

// test has nginx read the file and returns its warnings. The error of a
// configuration that nginx refuses is a *RefusedError; any other says that
// there was no test.
//
// A test beside a running master does it no harm: nginx binds no socket with
// SO_REUSEPORT then and takes one that is in use for a good one, and it opens
// the pid file without writing to it. Without a master it leaves an empty pid
// file.
func test(ctx context.Context, binary, file string, timeout time.Duration) (warnings []Message, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("it took longer than %s", timeout))
	defer cancel()
	// Before nginx has read where its log is, it opens the one that was set
	// at its build, which an unprivileged user may not.
	cmd := exec.CommandContext(ctx, binary, "-e", "stderr", "-t", "-q", "-c", file)
	cmd.Env = testEnvironment()
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	runErr := cmd.Run()
	messages := parseMessages(out.String())
	for _, m := range messages {
		if m.Level == "warn" {
			warnings = append(warnings, m)
		}
	}
	var exit *exec.ExitError
	switch {
	case runErr == nil:
		return warnings, nil
	case ctx.Err() != nil:
		return warnings, fmt.Errorf("%s -t was ended: %w; nginx goes on with the configuration before", binary, context.Cause(ctx))
	case !errors.As(runErr, &exit) || exit.ExitCode() < 0:
		return warnings, fmt.Errorf("%s -t did not run to its end: %w; nginx goes on with the configuration before", binary, runErr)
	}
	return warnings, refusal(messages, out.String())
}

// refusal makes an error of what nginx printed. nginx stops at the first
// fault; what else it prints follows from that.
func refusal(messages []Message, out string) *RefusedError {
	refused := &RefusedError{Message: strings.TrimSpace(out), Output: out}
	worst := severity("warn")
	for _, m := range messages {
		if s := severity(m.Level); s < worst {
			worst = s
			refused.Message, refused.File, refused.Line = m.Text, m.File, m.Line
		}
	}
	if refused.Message == "" {
		refused.Message = "it failed without a word"
	}
	return refused
}
