package nginx

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// RefusedError says that nginx refuses a configuration.
type RefusedError struct {
	// Message is nginx's own.
	Message string
	// Line is where in nginx.conf; 0 is unknown.
	Line int
}

func (e *RefusedError) Error() string { return "nginx refuses the configuration: " + e.Message }

// testTimeout bounds a test of a very large configuration.
const testTimeout = 2 * time.Minute

var (
	faultPattern = regexp.MustCompile(`(?m)^.*\[(?:emerg|alert|crit|error)\] (?:\d+#\d+: )?(.*)$`)
	linePattern  = regexp.MustCompile(` in \S*/nginx\.conf:(\d+)$`)
)

// test has nginx read the file and say what is wrong with it.
func test(ctx context.Context, binary, file string) error {
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, binary, "-t", "-q", "-c", file).CombinedOutput()
	if err == nil {
		return nil
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || ctx.Err() != nil {
		return fmt.Errorf("%s -t: %w", binary, err)
	}
	return parseRefusal(string(out))
}

func parseRefusal(out string) *RefusedError {
	refused := &RefusedError{Message: strings.TrimSpace(out)}
	if m := faultPattern.FindStringSubmatch(out); m != nil {
		refused.Message = m[1]
	}
	if m := linePattern.FindStringSubmatch(refused.Message); m != nil {
		// The pattern is digits; too many of them is no line.
		refused.Line, _ = strconv.Atoi(m[1])
	}
	return refused
}
