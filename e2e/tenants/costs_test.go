package tenants_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

var errNotYet = errors.New("not yet")

// quick is more than any of this takes on a busy machine, and less than it took
// where a worker was held up.
const quick = 3 * time.Second

// What costs others.
var costRows = []row{
	{
		name: "PasswordsCannotHoldWorkers", file: "costly-passwords.yaml",
		told: []string{"evil/slow UserLeftOut", "evil/slow-map UserLeftOut"},
		check: func(w *world) {
			var questions []question
			for _, user := range []string{"sha512", "sha256", "bcrypt", "yescrypt", "scrypt", "des", "rounds", "saltless", "plus", "unknown"} {
				for range 2 {
					questions = append(questions, question{host: "slow.test", headers: []string{basic(user)}})
				}
			}
			questions = append(questions, question{host: "slow-map.test", headers: []string{basic("sha512")}})
			w.allQuick(questions)
			w.answers("slow.test", "/", 200, basic("alice"))
			w.answers("slow-map.test", "/", 200, basic("alice"))
		},
	},
	{
		name: "ExpressionsCannotHoldWorkers", file: "expressions.yaml",
		told: []string{"evil/costly-0 CostlyExpression", "evil/costly-1 CostlyExpression"},
		check: func(w *world) {
			var questions []question
			for i := range 8 {
				for _, text := range []string{strings.Repeat("a", 60) + "1", strings.Repeat("a", 2000) + "!", strings.Repeat("ab", 500) + "1"} {
					questions = append(questions, question{host: fmt.Sprintf("costly-%d.test", i), target: "/" + text})
				}
			}
			// PCRE's own limit lets each of these take 0.2 s of a worker.
			for range 200 {
				questions = append(questions, question{host: "costly-0.test", target: "/" + strings.Repeat("a", 60) + "1"})
			}
			began := time.Now()
			w.allQuick(questions)
			if took := time.Since(began); took > 10*time.Second {
				w.t.Errorf("%d requests took %v", len(questions), took)
			}
		},
	},
	{
		name: "FindingsCannotFlood", file: "flood.yaml",
		told: []string{"evil/flood ServiceNotFound"},
		check: func(w *world) {
			n := 0
			for _, f := range w.findings() {
				if f.Object.Name == "flood" {
					n++
				}
			}
			if n > 30 {
				w.t.Errorf("one Ingress has %d findings", n)
			}
		},
	},
}

// allQuick sends all of them at once; meanwhile the victim answers quickly.
func (w *world) allQuick(questions []question) {
	w.t.Helper()
	var wait sync.WaitGroup
	for _, q := range questions {
		wait.Go(func() { w.ask(q) })
	}
	done := make(chan struct{})
	go func() { defer close(done); wait.Wait() }()
	for i, over := 0, false; !over; i++ {
		select {
		case <-done:
			over = true
		default:
		}
		a := w.ask(question{host: "shop.test", https: true})
		if a.status != 200 || a.took > quick {
			w.t.Errorf("request %d of the victim's: %d after %v", i, a.status, a.took)
		}
	}
}

// basic is the header of a user with the password "secret".
func basic(user string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":secret"))
}
