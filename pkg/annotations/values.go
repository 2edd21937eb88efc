package annotations

import (
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

// The functions here make the parse function of a row from the place that the
// value goes to. A pointer that stays nil is an annotation that is not there.

func flag(place func(*Set) **bool) func(*Set, string) error {
	return func(s *Set, v string) error {
		b, err := model.NewBool(strings.TrimSpace(v))
		if err == nil {
			*place(s) = &b
		}
		return err
	}
}

func seconds(place func(*Set) **model.Duration) func(*Set, string) error {
	return func(s *Set, v string) error {
		d, err := model.NewSeconds(strings.TrimSpace(v))
		if err == nil {
			*place(s) = &d
		}
		return err
	}
}

func enum(place func(*Set) *string, words ...string) func(*Set, string) error {
	return func(s *Set, v string) error {
		w, err := model.NewEnum(strings.TrimSpace(v), words...)
		if err == nil {
			*place(s) = w
		}
		return err
	}
}
