package translate

import (
	"regexp/syntax"
	"slices"
	"unicode"

	"github.com/sidegate/sidegate/pkg/model"
)

// maxSteps bounds the search of one expression. Those of Ingresses take some
// hundred steps; where it does not end the expression is not warned about.
const maxSteps = 200_000

// backtracks tells whether an expression can be matched against one text in a
// number of ways that grows exponentially with the text, which PCRE tries one
// by one before it says no. That is so where a part of it can come back to where
// it began along two ways that read the same text. Expressions that Go cannot
// read (look-around) are not judged; for them the limit of the render stands.
func backtracks(expression model.Regex) bool {
	tree, err := syntax.Parse("(?i)"+string(expression), syntax.Perl)
	if err != nil {
		return false
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return false
	}
	a := automaton{prog: prog, next: map[uint32][]uint32{}, steps: maxSteps}
	for i := range prog.Inst {
		if reads(&prog.Inst[i]) && a.ambiguous(uint32(i)) {
			return true
		}
	}
	return false
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
		a.steps--
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
				if !a.overlap(x, y) {
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
	for i := 0; i+1 < len(one); i += 2 {
		for j := 0; j+1 < len(other); j += 2 {
			if one[i] <= other[j+1] && other[j] <= one[i+1] {
				return true
			}
		}
	}
	return false
}

func ranges(i *syntax.Inst) []rune {
	switch {
	case i.Op == syntax.InstRuneAny || i.Op == syntax.InstRuneAnyNotNL:
		return []rune{0, unicode.MaxRune}
	case len(i.Rune) == 1:
		var out []rune
		for r, n := i.Rune[0], 0; n < 4; r, n = unicode.SimpleFold(r), n+1 {
			out = append(out, r, r)
		}
		return out
	}
	return i.Rune
}
