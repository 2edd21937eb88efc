package translate

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"

	"github.com/sidegate/sidegate/pkg/model"
)

// The bounds of what is looked at: everybody waits for it. Expressions of
// Ingresses take some hundred steps and have some ten parts. Where a search does
// not end, or an Ingress has no steps left, there is no warning.
const (
	maxSteps        = 200_000
	maxIngressSteps = 5 * maxSteps
	maxParts        = 5_000
)

// backtracks tells it of an expression of the Ingress, as long as those of the
// Ingress have not cost too much to look at.
func (b *build) backtracks(ing *ingress, expression model.Regex) bool {
	if ing.looked > maxIngressSteps {
		return false
	}
	j := b.memo.backtrack(expression)
	ing.looked += j.cost
	return j.backtracks
}

// backtracks tells whether an expression can be matched against one text in a
// number of ways that grows exponentially with the text, which PCRE tries one
// by one before it says no. That is so where a part of it can come back to where
// it began along two ways that read the same text. Expressions that Go cannot
// read (look-around) are not judged; for them the limit of the render stands.
// cost is how many steps it took to tell.
func backtracks(expression model.Regex) (found bool, cost int) {
	tree, err := syntax.Parse("(?is)"+string(expression), syntax.Perl)
	if err != nil || parts(tree) > maxParts {
		return false, len(expression)
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return false, len(expression)
	}
	a := automaton{prog: prog, next: map[uint32][]uint32{}, steps: maxSteps}
	for i := range prog.Inst {
		if a.steps < 0 {
			break
		}
		if reads(&prog.Inst[i]) && a.ambiguous(uint32(i)) {
			return true, maxSteps - a.steps
		}
	}
	return false, maxSteps - a.steps
}

// parts is how many instructions the expression becomes, roughly: each of its
// repetitions is written out as often as it says.
func parts(tree *syntax.Regexp) int {
	n := 1 + len(tree.Rune)/16
	for _, sub := range tree.Sub {
		n += parts(sub)
	}
	if tree.Op == syntax.OpRepeat {
		n *= 1 + max(tree.Min, tree.Max)
	}
	return min(n, maxParts+1)
}

type automaton struct {
	prog *syntax.Prog
	// next are the reading instructions that may follow one, as often as there
	// are ways to them.
	next  map[uint32][]uint32
	steps int
}

func reads(i *syntax.Inst) bool {
	switch i.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}

func (a *automaton) follow(from uint32) []uint32 {
	if list, ok := a.next[from]; ok {
		return list
	}
	var list []uint32
	// taken are the turns of the way so far. To take one twice is an iteration
	// that has read nothing, after which PCRE leaves the loop.
	type turn struct{ at, to uint32 }
	var walk func(pc uint32, taken []turn)
	walk = func(pc uint32, taken []turn) {
		a.steps -= 1 + len(taken)/8
		inst := &a.prog.Inst[pc]
		switch {
		case a.steps < 0:
		case reads(inst):
			list = append(list, pc)
		case inst.Op == syntax.InstAlt || inst.Op == syntax.InstAltMatch:
			for _, to := range []uint32{inst.Out, inst.Arg} {
				if t := (turn{pc, to}); !slices.Contains(taken, t) {
					walk(to, append(slices.Clone(taken), t))
				}
			}
		case inst.Op != syntax.InstMatch && inst.Op != syntax.InstFail:
			walk(inst.Out, taken)
		}
	}
	walk(a.prog.Inst[from].Out, nil)
	a.next[from] = list
	return list
}

// ambiguous tells whether two different ways lead from the instruction back to
// it and read the same.
func (a *automaton) ambiguous(start uint32) bool {
	type pair struct {
		x, y  uint32
		apart bool
	}
	seen := map[pair]bool{}
	queue := []pair{{start, start, false}}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for i, x := range a.follow(at.x) {
			for j, y := range a.follow(at.y) {
				if a.steps--; a.steps < 0 {
					return false
				}
				if x != y && !a.overlap(x, y) {
					continue
				}
				// Two ways to the same instruction are apart as well.
				to := pair{x, y, at.apart || x != y || at.x == at.y && i != j}
				if to == (pair{start, start, true}) {
					return true
				}
				if !seen[to] {
					seen[to] = true
					queue = append(queue, to)
				}
			}
		}
	}
	return false
}

// overlap tells whether a letter is read by both.
func (a *automaton) overlap(x, y uint32) bool {
	one, other := ranges(&a.prog.Inst[x]), ranges(&a.prog.Inst[y])
	a.steps -= (len(one) + len(other)) / 8
	for len(one) > 1 && len(other) > 1 {
		switch {
		case one[1] < other[0]:
			one = one[2:]
		case other[1] < one[0]:
			other = other[2:]
		default:
			return true
		}
	}
	return false
}

// ranges are the letters that the instruction reads, as pairs of the first and
// the last, sorted.
func ranges(i *syntax.Inst) []rune {
	switch {
	case i.Op == syntax.InstRuneAny || i.Op == syntax.InstRuneAnyNotNL:
		return []rune{0, unicode.MaxRune}
	case len(i.Rune) == 1:
		var folds []rune
		for r := i.Rune[0]; len(folds) == 0 || r != i.Rune[0] && len(folds) < 4; r = unicode.SimpleFold(r) {
			folds = append(folds, r)
		}
		slices.Sort(folds)
		var out []rune
		for _, r := range folds {
			out = append(out, r, r)
		}
		return out
	}
	return i.Rune
}

// cheap tells whether an expression costs no more than some looks at each letter
// of any path: it begins at one place, has one repetition, of a letter, and few
// alternatives. Most expressions of Ingresses are so.
func cheap(expression model.Regex) bool {
	text := string(expression)
	depth, ways, repetitions := 0, 0, 0
	if !strings.HasPrefix(text, "^") {
		return false
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			if i++; i < len(text) && text[i] >= '1' && text[i] <= '9' {
				return false
			}
		case '[':
			i = endOfClass(text, i)
		case '(':
			if depth++; strings.HasPrefix(text[i:], "(?") {
				if !strings.HasPrefix(text[i:], "(?:") {
					return false
				}
				i += len("?:")
			}
		case ')':
			depth--
		case '|':
			if ways++; depth == 0 {
				return false // it begins anywhere
			}
		case '?':
			ways++
		case '*', '+', '{':
			if repetitions++; text[i-1] == ')' {
				return false
			}
		}
	}
	return repetitions <= 1 && ways <= 3
}

// endOfClass returns the place of the bracket that ends the class.
func endOfClass(text string, start int) int {
	i := start + 1
	if i < len(text) && text[i] == '^' {
		i++
	}
	for first := i; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case strings.HasPrefix(text[i:], "[:"):
			if end := strings.Index(text[i:], ":]"); end > 0 {
				i += end + 1
			}
		case text[i] == ']' && i > first:
			return i
		}
	}
	return i
}

// matchesItself tells whether a path, read as an expression, matches the path
// itself. Of what could cost too much, and what Go cannot read, it says no.
func matchesItself(path string, expression model.Regex) bool {
	if !strings.ContainsAny(path, `\+*?()|[]{}^$`) {
		return true // a dot matches itself
	}
	re := compile(expression)
	return re != nil && re.MatchString(path)
}

// matchesRoot tells whether an expression may match the path "/".
func matchesRoot(expression model.Regex) bool {
	re := compile(expression)
	return re == nil || re.MatchString("/")
}

// compile returns nil for what could cost too much, and what Go cannot read.
func compile(expression model.Regex) *regexp.Regexp {
	text := "(?is)" + string(expression)
	if tree, err := syntax.Parse(text, syntax.Perl); err != nil || parts(tree) > maxParts {
		return nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil
	}
	return re
}
