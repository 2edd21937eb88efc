// Package annotations is the table of all annotations, and their parser.
//
// It exists so that one place knows each annotation's name, type, scope, risk
// and meaning: the parser, the findings and the reference in docs/ come from
// it. Each family has a file of its own, which holds the family's typed
// values and the rows that fill them. An annotation that is not in the table
// is a finding, and so is one whose value its type refuses; neither concerns
// the other annotations.
//
// It may import model.
package annotations
