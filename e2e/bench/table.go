package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// table is the page for people.
func (r *Results) table() []byte {
	var b bytes.Buffer
	m := r.Machine
	fmt.Fprintf(&b, "<!-- Written by `make bench`; edits are lost. -->\n# Measurements\n\n")
	fmt.Fprintf(&b, "Real parts, all on one machine that also runs etcd, the API server, the backends and the load: %d cores (%s), %d GB, Linux %s, nginx %s, %s; %s.\n",
		m.Cores, m.CPU, m.Memory, m.Kernel, m.Nginx, m.Go, m.Date)
	b.WriteString(introduction)
	b.WriteString("| what | Ingresses | target | p50 | p99 | n | |\n|---|---:|---:|---:|---:|---:|---|\n")
	for _, figure := range bySize {
		for _, n := range r.sizes() {
			line := figure.row
			line.ingresses, line.limit = n, none
			if limit, ok := figure.limits[n]; ok {
				line.limit = limit
			}
			r.line(&b, line)
		}
	}
	for _, line := range others {
		r.line(&b, line)
	}
	b.WriteString(notes)
	r.detail(&b)
	r.certificates(&b)
	return b.Bytes()
}

// line writes a row of the table, unless it was never measured.
func (r *Results) line(b *bytes.Buffer, line row) {
	s := r.find(line.id, line.ingresses, line.part)
	if s == nil {
		return
	}
	where := ""
	if line.ingresses > 0 {
		where = strconv.Itoa(line.ingresses)
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %d | %s |\n", line.what, where, line.target(),
		show(percentile(s.Samples, 50), line.unit), show(percentile(s.Samples, 99), line.unit), len(s.Samples), line.verdict(s.Samples))
}

// target says what is asked of which statistic.
func (r row) target() string {
	if r.limit == none {
		return ""
	}
	name := map[stat]string{median: "p50", p99: "p99", largest: "all"}[r.stat]
	sign := "≤"
	if r.atLeast {
		sign = "≥"
	}
	return name + " " + sign + " " + show(r.limit, r.unit)
}

// verdict says whether the target is met, and by how much it is missed.
func (r row) verdict(samples []float64) string {
	if r.limit == none {
		return "reported"
	}
	var got float64
	switch r.stat {
	case median:
		got = percentile(samples, 50)
	case p99:
		got = percentile(samples, 99)
	case largest:
		got = slices.Max(samples)
	}
	missed := got - r.limit
	if r.atLeast {
		missed = -missed
	}
	switch {
	case missed <= 0:
		return "met"
	case r.limit == 0:
		return fmt.Sprintf("**missed: %s**", show(got, r.unit))
	}
	percent := missed / r.limit * 100
	digits := 0
	if percent < 10 {
		digits = 1
	}
	return fmt.Sprintf("**missed by %.*f %%**", digits, percent)
}

// show prints three digits of a figure and its unit.
func show(v float64, unit string) string {
	switch {
	case unit == "s" && v < 1:
		return significant(v*1000) + " ms"
	case unit == "":
		return significant(v)
	}
	return significant(v) + " " + unit
}

func significant(v float64) string {
	if v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	return strconv.FormatFloat(v, 'f', min(max(digits, 0), 3), 64)
}

// sizes are the numbers of Ingresses that anything was measured at.
func (r *Results) sizes() (out []int) {
	for _, s := range r.Series {
		if s.Ingresses > 0 && !slices.Contains(out, s.Ingresses) {
			out = append(out, s.Ingresses)
		}
	}
	slices.Sort(out)
	return out
}

// steps are those of a generation, in their order.
var steps = []string{"snapshot", "translate", "render", "look", "stage", "test", "drain", "publish", "reload", "confirm"}

// detail writes where the time of a change goes.
func (r *Results) detail(b *bytes.Buffer) {
	b.WriteString("\n## Where the time of one new Ingress goes\n\nMedians, in milliseconds; the steps are those of `/debug/generations`.\n\n| Ingresses |")
	for _, name := range steps {
		b.WriteString(" " + name + " |")
	}
	b.WriteString("\n|---:|")
	for range steps {
		b.WriteString("---:|")
	}
	for _, n := range r.sizes() {
		if r.find("step", n, "test") == nil {
			continue
		}
		fmt.Fprintf(b, "\n| %d |", n)
		for _, name := range steps {
			cell := ""
			if s := r.find("step", n, name); s != nil {
				cell = fmt.Sprintf("%.1f", percentile(s.Samples, 50)*1000)
			}
			b.WriteString(" " + cell + " |")
		}
	}
	b.WriteString("\n")
}

// certificates writes what the ways of giving certificates to nginx cost.
func (r *Results) certificates(b *bytes.Buffer) {
	b.WriteString(certificatesIntroduction)
	for _, count := range certificateCounts {
		for _, mode := range certificateModes {
			part := certificatePart(mode, count)
			cpu, test := r.find("handshake-cpu", 0, part), r.find("handshake-test", 0, part)
			if cpu == nil || test == nil {
				continue
			}
			fmt.Fprintf(b, "| %s | %d | %s | %s |\n", mode, count,
				show(percentile(cpu.Samples, 50), "s"), show(percentile(test.Samples, 50), "s"))
		}
	}
}
