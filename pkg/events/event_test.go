package events

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sidegate/sidegate/pkg/model"
	"k8s.io/apimachinery/pkg/api/validate/content"
)

func finding(object, reason, message string) model.Finding {
	return model.Finding{Object: model.IngressObject("default", object), Severity: model.Warning, Reason: reason, Message: message}
}

// A flood of findings of one object is a few Events, and adding to it makes no
// other ones.
func TestFlood(t *testing.T) {
	var list []model.Finding
	for i := range 1000 {
		list = append(list, finding("flood", model.ReasonServiceNotFound, fmt.Sprintf("path %d", i)))
	}
	few, left := desired(list[:500])
	if len(few) != maxEach+1 || left != 0 {
		t.Errorf("%d events, %d left", len(few), left)
	}
	all, _ := desired(append(list, finding("flood", model.ReasonInvalidValue, "x"), finding("other", model.ReasonServiceNotFound, "y")))
	if len(all) != len(few)+2 {
		t.Errorf("%d events", len(all))
	}
	for name := range few {
		if all[name] == nil {
			t.Errorf("%s has another name now", name)
		}
	}
}

func TestBoundOfAll(t *testing.T) {
	var list []model.Finding
	for i := range maxAll {
		list = append(list, finding(fmt.Sprint("i", i), "R", "m"))
	}
	last := finding("z", "R", "m")
	last.Severity = model.Error
	got, left := desired(append(list, last))
	if len(got) != maxAll || left != 1 {
		t.Errorf("%d events, %d left", len(got), left)
	}
	e := event(last, note(last))
	if got[e.Name] == nil {
		t.Error("an error has made way for a warning")
	}
}

func TestNames(t *testing.T) {
	for _, object := range []string{"a", strings.Repeat("a", 253), strings.Repeat("a.", 126) + "a", strings.Repeat("a", 199) + "." + strings.Repeat("b", 10)} {
		f := finding(object, "R", strings.Repeat("ü", 2000))
		e := event(f, note(f))
		if problems := content.IsDNS1123Subdomain(e.Name); len(problems) > 0 {
			t.Errorf("%s: %v", e.Name, problems)
		}
		if len(e.Note) > 1024 || !strings.HasPrefix(e.Note, "ü") {
			t.Errorf("the note has %d bytes", len(e.Note))
		}
	}
	// What says another thing is another Event.
	names := map[string]bool{}
	for _, f := range []model.Finding{finding("a", "R", "m"), finding("a", "S", "m"), finding("a", "R", "n"), finding("b", "R", "m"), {Object: model.Object{Kind: "Service", Namespace: "default", Name: "a"}, Severity: model.Warning, Reason: "R", Message: "m"}} {
		names[event(f, note(f)).Name] = true
	}
	if len(names) != 5 {
		t.Errorf("%d names", len(names))
	}
}
