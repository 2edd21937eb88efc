package tenants_test

import (
	"fmt"
	"net/http"
	"strings"
)

// Where requests may be sent.
var targetRows = []row{
	{
		name: "ServicesCannotLeadToThisPod", file: "targets.yaml",
		told: []string{"evil/t0 ForbiddenTarget", "evil/t2 InvalidValue"},
		check: func(w *world) {
			w.pods["private"].asked()
			for i := range 13 {
				w.isNoWay(fmt.Sprintf("t%d.test", i))
			}
			w.isNoWay("slice.test")
			w.privateIsLeftAlone()
		},
	},
	{
		name: "QuestionsCannotLeadToThisPod", file: "questions.yaml",
		told: []string{"evil/question-0 InvalidValue", "evil/question-2 LocationClosed"},
		check: func(w *world) {
			w.pods["private"].asked()
			for i := range 13 {
				w.isNoWay(fmt.Sprintf("question-%d.test", i))
			}
			w.privateIsLeftAlone()
		},
	},
	{
		name: "RequestsCannotGoInCircles", file: "circles.yaml",
		check: func(w *world) {
			w.rounds.Store(0)
			for _, host := range []string{"circle-name.test", "circle-address.test", "circle-slice.test", "circle-balancer.test", "circle-question.test"} {
				w.isNoWay(host)
			}
			if n := w.rounds.Load(); n > 30 {
				w.t.Errorf("the balancer passed on %d requests", n)
			}
		},
	},
}

// isNoWay fails where a host answers as if there were something behind it.
func (w *world) isNoWay(host string) {
	w.t.Helper()
	a := w.get(host, "/")
	if a.status < http.StatusInternalServerError || strings.Contains(a.body, "sidegate_") || strings.Contains(a.body, "server_name") {
		w.t.Errorf("%s answers %d: %.100s", host, a.status, a.body)
	}
}
