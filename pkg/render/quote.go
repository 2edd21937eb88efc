package render

import (
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode/utf8"

	"github.com/sidegate/sidegate/pkg/model"
)

// quoteFunc is the name under which quote is appended to pipelines.
const quoteFunc = "_quote"

// appendQuotes makes every action of the template that prints end in quote.
func appendQuotes(t *template.Template) {
	for _, each := range t.Templates() {
		if each.Tree != nil && each.Root != nil {
			walk(each.Root)
		}
	}
}

func walk(node parse.Node) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			walk(child)
		}
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 0 {
			n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{
				NodeType: parse.NodeCommand,
				Pos:      n.Pos,
				Args:     []parse.Node{parse.NewIdentifier(quoteFunc).SetPos(n.Pos)},
			})
		}
	case *parse.IfNode:
		walkBranch(&n.BranchNode)
	case *parse.RangeNode:
		walkBranch(&n.BranchNode)
	case *parse.WithNode:
		walkBranch(&n.BranchNode)
	}
}

func walkBranch(n *parse.BranchNode) {
	walk(n.List)
	walk(n.ElseList)
}

// quote turns a value into the text of nginx.conf by its type.
func quote(v any) (string, error) {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '$' }) {
			return "", fmt.Errorf("the string %q must be UTF-8 without control characters and \"$\"", model.Clip(v))
		}
		return token(v)
	case model.Ident:
		if _, err := model.NewIdent(string(v)); err != nil {
			return "", fmt.Errorf("the identifier %q %w", model.Clip(string(v)), err)
		}
		return string(v), nil
	case model.Expr:
		return token(string(v))
	case model.Regex:
		return token(expression(string(v), matchLimit))
	case limited:
		return token(expression(string(v.text), v.steps))
	case model.Path:
		return token(string(v))
	case model.Size:
		return string(v), nil
	case model.Duration:
		return v.String(), nil
	case model.Switch:
		if v {
			return "on", nil
		}
		return "off", nil
	case model.Raw:
		return v.String(), nil
	case int:
		return strconv.Itoa(v), nil
	case int32:
		return strconv.Itoa(int(v)), nil
	case netip.Prefix:
		return v.String(), nil
	}
	if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && !p.IsNil() {
		return quote(p.Elem().Interface())
	}
	return "", fmt.Errorf("a value of type %T cannot be printed into nginx.conf", v)
}

// matchLimit bounds what a regular expression may cost a worker for one request,
// in steps. nginx has no directive for it; PCRE takes it from the expression.
// Where it is reached nginx logs the expression and answers 500. Measured with
// PCRE2 10.42 and a path of 8 kB, the longest that there
// is: 0.7 ms with an expression that backtracks without end, and 110 ms with one
// that reads on to the end of the path in each step, which PCRE does not count.
// Expressions of Ingresses take 3 to 20 steps, and one for each byte of the path
// where they look for something behind a ".*".
// `pcre_jit on` is no way out: its stack is too small for paths of some 4 kB.
const matchLimit = 20_000

// A request may be matched against all expressions of its server, each of which
// may come close to its own limit and say no: a thousand that did so held a
// worker for 3 s. So those of a namespace that may be costly share what nginx does
// in 2 ms, or, at the worst, in 0.3 s. With leastLimit, plain ones still match.
const (
	serverLimit = 50_000
	leastLimit  = 5
)

// limited is an expression that shares its server's limit with others.
type limited struct {
	text  model.Regex
	steps int
}

// limitOf gives an expression its part of what the costly ones of a server may
// cost.
func limitOf(text model.Regex, shared int) limited {
	return limited{text, max(leastLimit, min(matchLimit, serverLimit/max(1, shared)))}
}

// expression writes a regular expression. In the ones of nginx "." is any byte
// of a path, also a line break: a client that puts one (%0a) where it is not
// looked for would get past a location that guards "/.*/admin".
func expression(text string, steps int) string {
	return "(*LIMIT_MATCH=" + strconv.Itoa(steps) + ")(?s)" + text
}

var tokenEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// token quotes s so that nginx reads it back, byte for byte, as one token.
func token(s string) (string, error) {
	if n := model.Written(s); n > model.MaxToken {
		return "", fmt.Errorf("the text %q is %d bytes long as it is written, and nginx takes %d", model.Clip(s), n, model.MaxToken)
	}
	if !strings.ContainsAny(s, `\"`) {
		return `"` + s + `"`, nil
	}
	return `"` + tokenEscapes.Replace(s) + `"`, nil
}
