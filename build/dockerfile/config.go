package dockerfile

import (
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// Config is what the final stage of the Dockerfile sets, with the values of
// its build arguments. COPY is left out: files come to the image another way.
func Config(r io.Reader, buildArgs map[string]string) (v1.Config, error) {
	ast, err := parser.Parse(r)
	if err != nil {
		return v1.Config{}, fmt.Errorf("the Dockerfile: %w", err)
	}
	stages, _, err := instructions.Parse(ast.AST, nil)
	if err != nil {
		return v1.Config{}, fmt.Errorf("the Dockerfile: %w", err)
	}
	if len(stages) == 0 {
		return v1.Config{}, fmt.Errorf("the Dockerfile: there is no stage in it")
	}
	b := &builder{args: buildArgs, lex: shell.NewLex(ast.EscapeToken), values: map[string]string{}}
	for _, command := range stages[len(stages)-1].Commands {
		if err := b.apply(command); err != nil {
			return v1.Config{}, fmt.Errorf("the Dockerfile, line %d: %w", command.Location()[0].Start.Line, err)
		}
	}
	for name := range buildArgs {
		if !b.used[name] {
			return v1.Config{}, fmt.Errorf("the Dockerfile: the final stage has no ARG %s", name)
		}
	}
	return b.config, nil
}

// builder goes through the instructions in their order.
type builder struct {
	args   map[string]string
	used   map[string]bool
	lex    *shell.Lex
	values map[string]string // what $NAME stands for by now
	config v1.Config
}

func (b *builder) apply(command instructions.Command) error {
	if e, ok := command.(instructions.SupportsSingleWordExpansion); ok {
		if err := e.Expand(b.expand); err != nil {
			return err
		}
	}
	switch c := command.(type) {
	case *instructions.CopyCommand:
	case *instructions.ArgCommand:
		b.arg(c)
	case *instructions.EnvCommand:
		for _, kv := range c.Env {
			b.values[kv.Key] = kv.Value
			b.config.Env = append(b.config.Env, kv.Key+"="+kv.Value)
		}
	case *instructions.LabelCommand:
		if b.config.Labels == nil {
			b.config.Labels = map[string]string{}
		}
		for _, kv := range c.Labels {
			b.config.Labels[kv.Key] = kv.Value
		}
	case *instructions.UserCommand:
		b.config.User = c.User
	case *instructions.WorkdirCommand:
		b.config.WorkingDir = c.Path
	case *instructions.StopSignalCommand:
		b.config.StopSignal = c.Signal
	case *instructions.ExposeCommand:
		return b.expose(c.Ports)
	case *instructions.EntrypointCommand:
		if c.PrependShell {
			return fmt.Errorf("ENTRYPOINT: want a JSON list, since there is no shell in the image")
		}
		b.config.Entrypoint = c.CmdLine
	case *instructions.CmdCommand:
		if c.PrependShell {
			return fmt.Errorf("CMD: want a JSON list, since there is no shell in the image")
		}
		b.config.Cmd = c.CmdLine
	default:
		return fmt.Errorf("%s in the final stage cannot be done without an engine: move it to a stage before it", strings.ToUpper(command.Name()))
	}
	return nil
}

// arg takes the value given, else the default.
func (b *builder) arg(c *instructions.ArgCommand) {
	for _, a := range c.Args {
		value, given := b.args[a.Key]
		switch {
		case given:
			b.values[a.Key] = value
		case a.Value != nil:
			b.values[a.Key] = *a.Value
		}
		if b.used == nil {
			b.used = map[string]bool{}
		}
		b.used[a.Key] = true
	}
}

func (b *builder) expose(ports []string) error {
	if b.config.ExposedPorts == nil {
		b.config.ExposedPorts = map[string]struct{}{}
	}
	for _, port := range ports {
		if !strings.Contains(port, "/") {
			port += "/tcp"
		}
		b.config.ExposedPorts[port] = struct{}{}
	}
	return nil
}

// expand replaces $NAME. A name without a value is an error here: an engine
// would set an empty string.
func (b *builder) expand(word string) (string, error) {
	result, err := b.lex.ProcessWordWithMatches(word, environment(b.values))
	if err != nil {
		return "", err
	}
	for name := range result.Unmatched {
		return "", fmt.Errorf("$%s is used and has no value", name)
	}
	return result.Result, nil
}

// environment is how the lexer looks names up.
type environment map[string]string

func (e environment) Get(name string) (string, bool) {
	v, ok := e[name]
	return v, ok
}

func (e environment) Keys() []string {
	keys := make([]string, 0, len(e))
	for k := range e {
		keys = append(keys, k)
	}
	return keys
}
