package walkthrough

import (
	"fmt"
	"io"
	"time"
)

// Printer is a Reporter that writes for people.
type Printer struct {
	W io.Writer
	// Color marks with colours what is right and what is not.
	Color bool
	// Right and Wrong count the checks.
	Right, Wrong int

	start time.Time
}

// Step writes a heading, with the time since the first one.
func (p *Printer) Step(number int, title string) {
	if p.start.IsZero() {
		p.start = time.Now()
	}
	fmt.Fprintf(p.W, "\n%s  %s\n", p.paint("1", fmt.Sprintf("%2d  %s", number, title)),
		p.paint("2", fmt.Sprintf("%.1f s", time.Since(p.start).Seconds())))
}

// Did writes what was done.
func (p *Printer) Did(what string) { fmt.Fprintf(p.W, "    %s\n", p.paint("2", "did  "+what)) }

// Left writes what was left out.
func (p *Printer) Left(what string) {
	fmt.Fprintf(p.W, "    %s\n", p.paint("2", "left out, `make demo-cluster` has it: "+what))
}

// Check writes what was sent, what came back and what it should be.
func (p *Printer) Check(c Check) {
	mark := p.paint("32", "OK  ")
	if c.OK {
		p.Right++
	} else {
		p.Wrong++
		mark = p.paint("31;1", "FAIL")
	}
	fmt.Fprintf(p.W, "    %s sent  %s\n         got   %s\n         want  %s\n", mark, c.Sent, c.Got, c.Want)
}

func (p *Printer) paint(code, text string) string {
	if !p.Color {
		return text
	}
	return "\033[" + code + "m" + text + "\033[0m"
}
