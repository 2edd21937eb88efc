// Package settings is the table of the ConfigMap's keys, and their parser.
//
// It is to the ConfigMap what package annotations is to an Ingress: one place
// that knows each key's name, type, default and meaning, from which the
// parser, the findings and the reference in docs/ come. A key that is not in
// the table and a value that its type refuses are one problem each; the
// default stays.
//
// It may import model.
package settings
