package nginx

import (
	"regexp"
	"strconv"
	"strings"
)

// Message is one line of nginx's error log, or of what `nginx -t` prints.
type Message struct {
	// Level is nginx's: emerg, alert, crit, error, warn, notice, info, debug.
	// It is "" for a line that is none of nginx's own.
	Level string
	// PID is the process that wrote it; 0 where the line does not tell.
	PID  int
	Text string
	// File and Line are where in the configuration; "" and 0 where the line
	// does not tell.
	File string
	Line int
}

var (
	// A line begins with the time, or with "nginx:" when nginx has no log yet.
	messagePattern  = regexp.MustCompile(`^(?:nginx: |\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )\[(\w+)\] (?:(\d+)#\d+: )?(?:\*\d+ )?(.*)$`)
	positionPattern = regexp.MustCompile(` in (\S[^"]*):(\d+)$`)
)

// parseMessage reads one line.
func parseMessage(line string) Message {
	m := messagePattern.FindStringSubmatch(line)
	if m == nil {
		return Message{Text: line}
	}
	message := Message{Level: m[1], Text: m[3]}
	message.PID = number(m[2])
	if p := positionPattern.FindStringSubmatch(message.Text); p != nil {
		message.File, message.Line = p[1], number(p[2])
	}
	return message
}

// number reads digits that a pattern has found. Too many of them are no pid
// and no line, which is what 0 says.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// parseMessages reads lines and leaves empty ones out.
func parseMessages(text string) (out []Message) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, parseMessage(line))
		}
	}
	return out
}

// severity orders levels; 0 is the worst.
func severity(level string) int {
	for i, l := range []string{"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"} {
		if l == level {
			return i
		}
	}
	return 8
}
