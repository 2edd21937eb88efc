package translate

import (
	"strings"
	"testing"
)

// A client sends any password, and the worker that computes its hash serves
// others too: what a hash may cost is bounded, whatever it is made with.
func TestCostlyHashIsNotComputed(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	for hash, fault := range map[string]string{
		"{PLAIN}secret":                              "",
		"$apr1$ab$qT6ocBhjktTKDbTvuyx4eb/":           "",
		"$2y$12$" + a(53):                            "",
		"$2y$13$" + a(53):                            "cost",
		"$2a$31$" + a(53):                            "cost",
		"$6$" + "abcdefgh$" + a(86):                  "",
		"$6$rounds=100000$abcdefgh$" + a(86):         "",
		"$6$rounds=100001$abcdefgh$" + a(86):         "cost",
		"$6$rounds=999999999$abcdefgh$" + a(86):      "cost",
		"$5$rounds=999999999$abcdefgh$" + a(43):      "cost",
		"$5$rounds=99999999999$abcdefgh$" + a(43):    "not known",
		"$6$rounds=9$rounds=999999999$" + a(86):      "not known",
		"$6$rounds=999999999$" + a(86):               "not known", // without a salt
		"$5$rounds=+999999999$" + a(43):              "not known",
		"$6$rounds=99999999999$" + a(86):             "not known",
		"$6$rounds=0x7fffffff$abcdefgh$" + a(86):     "not known",
		"$y$j9T$abcdefgh$" + a(43):                   "",
		"$y$jLT$abcdefgh$" + a(43):                   "cost",
		"$7$J6..../....abcdefgh$" + a(43):            "cost",
		"_zzzzabcd" + a(11):                          "cost",
		"$8$" + a(20):                                "not known",
		"$argon2id$v=19$m=65536,t=3,p=4$" + a(20):    "not known",
		"$sha1$999999999$abcdefgh$" + a(28):          "not known",
		"$md5,rounds=999999999$abcdefgh$" + a(22):    "not known",
		"$gy$jLT$abcdefgh$" + a(43):                  "not known",
		"$6$rounds=5000\n$" + a(86):                  "no hash",
		"$6$rounds=5000$" + strings.Repeat("a", 300): "longer",
		"": "no hash",
	} {
		got := passwordFault(hash)
		if (got == "") != (fault == "") || !strings.Contains(got, fault) {
			t.Errorf("%.60q: %q, want %q", hash, got, fault)
		}
	}
}
