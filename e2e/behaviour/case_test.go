package behaviour

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

// fixture is one file of testdata.
type fixture struct {
	file      string
	archive   *txtar.Archive
	manifests string
	options   []string
	requests  []exchange
	findings  string
}

// exchange is a request and what is expected of it.
type exchange struct {
	line    string // as it is written
	times   int
	proxy   string
	raw     bool
	method  string
	url     string
	headers [][2]string
	body    string
	status  int
	answer  []expectation
	backend []expectation
}

// expectation is a name and the value it must have.
type expectation struct{ name, want string }

// check says what is wrong with a value; "" is nothing.
func (e expectation) check(got string) string {
	expression, isExpression := strings.CutPrefix(e.want, "~")
	switch {
	case e.want == "-" && got == "", e.want == got && !isExpression:
		return ""
	case isExpression && regexp.MustCompile(expression).MatchString(got):
		return ""
	}
	return fmt.Sprintf("%s is %q, want %s", e.name, got, e.want)
}

func readFixture(file string, expand func(string) string) (*fixture, error) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return nil, err
	}
	f := &fixture{file: file, archive: archive}
	for _, part := range archive.Files {
		text := expand(string(part.Data))
		switch part.Name {
		case "manifests.yaml":
			f.manifests = text
		case "options":
			f.options = strings.Fields(text)
		case "requests":
			if f.requests, err = parseRequests(text); err != nil {
				return nil, err
			}
		case "findings":
			f.findings = text
		default:
			return nil, fmt.Errorf("%s: there is no part %s", file, part.Name)
		}
	}
	return f, nil
}

// parseRequests reads the part of that name.
func parseRequests(text string) (out []exchange, err error) {
	for block := range strings.SplitSeq(text, "\n\n") {
		var x exchange
		for line := range strings.Lines(block) {
			line = strings.TrimSuffix(line, "\n")
			switch {
			case line == "" || strings.HasPrefix(line, "#"):
				continue
			case x.line == "":
				err = x.parseFirst(line)
			default:
				err = x.parse(line)
			}
			if err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
		}
		if x.line == "" {
			continue
		}
		if x.status == 0 {
			return nil, fmt.Errorf("%q: no status is expected", x.line)
		}
		out = append(out, x)
	}
	return out, nil
}

var repetition = regexp.MustCompile(`^([0-9]+)x$`)

// parseFirst reads the line with the method.
func (x *exchange) parseFirst(line string) (err error) {
	x.line, x.times = line, 1
	words := strings.Fields(line)
	if m := repetition.FindStringSubmatch(words[0]); m != nil {
		if x.times, err = strconv.Atoi(m[1]); err != nil {
			return err
		}
		words = words[1:]
	}
	if len(words) > 2 && words[0] == "PROXY" {
		x.proxy, words = words[1], words[2:]
	}
	if len(words) > 2 && words[0] == "RAW" {
		x.raw, words = true, words[1:]
	}
	if len(words) != 2 {
		return fmt.Errorf("want METHOD URL")
	}
	x.method, x.url = words[0], words[1]
	return nil
}

// parse reads any other line.
func (x *exchange) parse(line string) error {
	if text, ok := strings.CutPrefix(line, "> "); ok {
		x.body += text
		return nil
	}
	if text, ok := strings.CutPrefix(line, "< "); ok && x.status == 0 {
		var err error
		x.status, err = strconv.Atoi(text)
		return err
	}
	side, text := byte(0), line
	if strings.HasPrefix(line, "< ") || strings.HasPrefix(line, "= ") {
		side, text = line[0], line[2:]
	}
	name, value, ok := strings.Cut(text, ":")
	if !ok {
		return fmt.Errorf("want NAME: VALUE")
	}
	value = strings.TrimSpace(value)
	switch side {
	case '<':
		x.answer = append(x.answer, expectation{name, value})
	case '=':
		x.backend = append(x.backend, expectation{name, value})
	default:
		x.headers = append(x.headers, [2]string{name, value})
	}
	return nil
}

// updateFindings writes the file anew.
func (f *fixture) updateFindings(findings string) error {
	for i := range f.archive.Files {
		if f.archive.Files[i].Name == "findings" {
			f.archive.Files[i].Data = []byte(findings)
			return os.WriteFile(f.file, txtar.Format(f.archive), 0o644)
		}
	}
	f.archive.Files = append(f.archive.Files, txtar.File{Name: "findings", Data: []byte(findings)})
	return os.WriteFile(f.file, txtar.Format(f.archive), 0o644)
}
