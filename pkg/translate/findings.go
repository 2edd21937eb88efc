package translate

import (
	"fmt"
	"slices"

	"github.com/sidegate/sidegate/pkg/model"
)

// maxFindings is how many findings of one object are told one by one. An event
// is written of each, and a client may write 25 about one object at once.
const maxFindings = 20

// summed sorts findings, drops those that are there twice, and sums up what is
// more than maxFindings of one object: the gravest are kept, and one finding
// for each reason says how many more there are.
func summed(all []model.Finding) []model.Finding {
	slices.SortFunc(all, model.Finding.Compare)
	all = slices.CompactFunc(all, func(x, y model.Finding) bool { return x == y })
	var out []model.Finding
	for len(all) > 0 {
		n := slices.IndexFunc(all, func(f model.Finding) bool { return f.Object != all[0].Object })
		if n < 0 {
			n = len(all)
		}
		out = append(out, sumUp(all[:n])...)
		all = all[n:]
	}
	return out
}

var gravest = []model.Severity{model.Error, model.Warning, model.Info}

// sumUp does it for the findings of one object.
func sumUp(all []model.Finding) []model.Finding {
	if len(all) <= maxFindings {
		return all
	}
	type kind struct {
		severity model.Severity
		reason   string
	}
	var out []model.Finding
	more := map[kind]int{}
	for _, severity := range gravest {
		for _, f := range all {
			switch {
			case f.Severity != severity:
			case len(out) < maxFindings:
				out = append(out, f)
			default:
				more[kind{f.Severity, f.Reason}]++
			}
		}
	}
	for k, n := range more {
		out = append(out, model.Finding{Object: all[0].Object, Severity: k.severity, Reason: k.reason,
			Message: fmt.Sprintf("%d more of this kind are not listed", n)})
	}
	slices.SortFunc(out, model.Finding.Compare)
	return out
}
