package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"
)

// Results are all that was measured, as results.json holds it.
type Results struct {
	Machine Machine  `json:"machine"`
	Series  []Series `json:"series"`
}

// Machine is the shape of the one that was measured on.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory int    `json:"memoryGB"`
	Kernel string `json:"kernel"`
	Nginx  string `json:"nginx"`
	Go     string `json:"go"`
	// Date is the day of the last measurement.
	Date string `json:"date"`
}

// Series are the samples of one figure.
type Series struct {
	ID string `json:"id"`
	// Ingresses is how many there were; 0 where that makes no difference.
	Ingresses int `json:"ingresses,omitempty"`
	// Part tells series of the same figure apart.
	Part    string    `json:"part,omitempty"`
	Unit    string    `json:"unit,omitempty"`
	Samples []float64 `json:"samples"`
}

// loadResults reads those of earlier runs; there need be none.
func loadResults(dir string) (*Results, error) {
	r := &Results{}
	text, err := os.ReadFile(filepath.Join(dir, "results.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	return r, json.Unmarshal(text, r)
}

// set replaces a series.
func (r *Results) set(id string, ingresses int, part, unit string, samples []float64) {
	for i, v := range samples {
		samples[i] = roundTo(v, 5)
	}
	r.Series = slices.DeleteFunc(r.Series, func(s Series) bool { return s.ID == id && s.Ingresses == ingresses && s.Part == part })
	r.Series = append(r.Series, Series{id, ingresses, part, unit, samples})
	slices.SortFunc(r.Series, func(a, b Series) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Ingresses, b.Ingresses), cmp.Compare(a.Part, b.Part))
	})
}

// roundTo leaves so many digits of a number; more are noise.
func roundTo(v float64, digits int) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	if err != nil {
		return v // NaN and infinities
	}
	return out
}

// find returns a series, or nil.
func (r *Results) find(id string, ingresses int, part string) *Series {
	for i := range r.Series {
		if s := &r.Series[i]; s.ID == id && s.Ingresses == ingresses && s.Part == part {
			return s
		}
	}
	return nil
}

// write writes results.json and the table that is made of it.
func (r *Results) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := r.encode()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "results.json"), text, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "README.md"), r.table(), 0o644)
}

// encode has a line a series: one a sample would be pages of them.
func (r *Results) encode() ([]byte, error) {
	var b strings.Builder
	machine, err := json.Marshal(r.Machine)
	if err != nil {
		return nil, err
	}
	b.WriteString("{\n  \"machine\": " + string(machine) + ",\n  \"series\": [")
	for i, s := range r.Series {
		line, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n    " + string(line))
	}
	b.WriteString("\n  ]\n}\n")
	return []byte(b.String()), nil
}

// describeMachine notes the shape of this machine, and not its name.
func (r *Results) describeMachine(nginx string) error {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return err
	}
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return err
	}
	memory, err := proc.Meminfo()
	if err != nil {
		return err
	}
	version, err := exec.Command(nginx, "-v").CombinedOutput()
	if err != nil {
		return err
	}
	_, v, _ := strings.Cut(strings.TrimSpace(string(version)), "nginx/")
	v, _, _ = strings.Cut(v, " ")
	// The release without what a vendor has appended.
	kernel := regexp.MustCompile(`^[0-9.]+`).FindString(string(release))
	r.Machine = Machine{
		CPU: cpuModel(), Cores: runtime.NumCPU(), Memory: int(math.Round(float64(*memory.MemTotalBytes) / (1 << 30))),
		Kernel: kernel, Nginx: v, Go: runtime.Version(), Date: time.Now().Format(time.DateOnly),
	}
	return nil
}

// cpuModel is what the kernel says of the processor; "" where it says nothing.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
