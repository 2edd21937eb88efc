package settings

import (
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

// The functions here make the parse function of a row from the field that the
// value goes to.

type parser = func(*Settings, string) error

func flag(field func(*Settings) *bool) parser {
	return func(s *Settings, v string) (err error) {
		*field(s), err = model.NewBool(strings.TrimSpace(v))
		return err
	}
}

func integer(low, high int, field func(*Settings) *int) parser {
	return func(s *Settings, v string) (err error) {
		*field(s), err = model.NewInt(strings.TrimSpace(v), low, high)
		return err
	}
}

func seconds(field func(*Settings) *model.Duration) parser {
	return func(s *Settings, v string) (err error) {
		*field(s), err = model.NewSeconds(strings.TrimSpace(v))
		return err
	}
}

func duration(field func(*Settings) *model.Duration) parser {
	return func(s *Settings, v string) (err error) {
		*field(s), err = model.NewDuration(strings.TrimSpace(v))
		return err
	}
}

func size(field func(*Settings) *model.Size) parser {
	return func(s *Settings, v string) (err error) {
		*field(s), err = model.NewSize(strings.TrimSpace(v))
		return err
	}
}

func text(field func(*Settings) *string) parser {
	return func(s *Settings, v string) (err error) {
		*field(s), err = model.Text(strings.TrimSpace(v))
		return err
	}
}

// word accepts one of a list of words that are printed bare.
func word(field func(*Settings) *model.Ident, words ...string) parser {
	return func(s *Settings, v string) error {
		w, err := model.NewEnum(strings.TrimSpace(v), words...)
		*field(s) = model.Ident(w)
		return err
	}
}

// logPath accepts an absolute path; "" is the default, below the log
// directory that a flag names.
func logPath(field func(*Settings) *string) parser {
	return func(s *Settings, v string) error {
		v = strings.TrimSpace(v)
		if v != "" && !strings.HasPrefix(v, "/") {
			return &model.InvalidError{Rule: "be an absolute path"}
		}
		t, err := model.Text(v)
		*field(s) = t
		return err
	}
}
