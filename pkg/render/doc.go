// Package render writes a model.Config as nginx.conf.
//
// It exists so that there is one place where a value becomes text, and so
// that no template can forget to quote: at load, the parse tree of every
// template is walked and each action that prints gets the quoting function
// appended, which decides by the value's Go type. A value whose type is not
// known to it is an error, not text.
//
// The package is pure: equal Configs give equal bytes, and it does no I/O but
// reading a template directory when it is told to. It may import model and
// templates.
package render
