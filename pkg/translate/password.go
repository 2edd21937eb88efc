package translate

import (
	"regexp"
	"strconv"
	"strings"
)

// The bounds of what a password may cost. nginx hashes what a client sends in
// the worker that serves others too, for each request, before it knows whether
// it is right. Measured with the C library of Debian (libxcrypt) on a slow
// core: bcrypt of cost 12: 250 ms; 100,000 rounds of SHA-512: 33 ms, and 250 ms
// for a password of 511 bytes, which is the longest that it takes; yescrypt
// with 2^12 blocks, its default: 100 ms, with 2^13: 205 ms; scrypt with
// N*r*p = 2^18: 220 ms; extended DES with 2^20 rounds: 150 ms.
const (
	maxBcryptCost  = 12
	maxSHARounds   = 100_000
	maxDESRounds   = 1 << 20
	maxScryptBlock = 1 << 18
)

const (
	cryptDigits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	tooCostly   = "has a hash that costs too much to compute: "
)

var (
	shaHash      = regexp.MustCompile(`^\$[56]\$(?:rounds=([0-9]{1,10})\$)?([^$]*)\$[./0-9A-Za-z]+$`)
	bcryptHash   = regexp.MustCompile(`^\$2[abxy]\$([0-9]{2})\$[./0-9A-Za-z]{53}$`)
	yescryptHash = regexp.MustCompile(`^\$y\$j([./0-9A-Za-z])([5T])\$[./0-9A-Za-z]*\$[./0-9A-Za-z]+$`)
	scryptHash   = regexp.MustCompile(`^\$7\$([./0-9A-Za-z])([./0-9A-Za-z]{5})([./0-9A-Za-z]{5})[^$]*\$[./0-9A-Za-z]+$`)
	desHash      = regexp.MustCompile(`^[./0-9A-Za-z]{13}$`)
	longDESHash  = regexp.MustCompile(`^_([./0-9A-Za-z]{4})[./0-9A-Za-z]{15}$`)
	printable    = regexp.MustCompile(`^[!-9;-~]{1,255}$`)
)

// passwordFault says why nginx cannot use the hash of a password, or may not.
// It knows what nginx computes itself ($apr1$, {SHA}, {SSHA}, {PLAIN}) and what
// the C libraries of nginx's images do; everything else is refused.
func passwordFault(hash string) string {
	switch {
	case hash == "":
		return "has no hash"
	case strings.HasPrefix(hash, "{PLAIN}"):
		if len(hash) > 255 || strings.ContainsAny(hash, "\r\n\x00") {
			return "has a password that is longer than 248 bytes or several lines"
		}
		return ""
	case !printable.MatchString(hash):
		return "has a hash that is longer than 255 bytes or holds what no hash does"
	case strings.HasPrefix(hash, "$apr1$"), strings.HasPrefix(hash, "{SHA}"), strings.HasPrefix(hash, "{SSHA}"), strings.HasPrefix(hash, "$1$"), desHash.MatchString(hash):
		return ""
	}
	if m := longDESHash.FindStringSubmatch(hash); m != nil {
		return costs(cryptNumber(m[1]) <= maxDESRounds, "extended DES may have at most 2^20 rounds")
	}
	// A salt that begins like rounds is none to crypt(3), which needs no salt.
	if m := shaHash.FindStringSubmatch(hash); m != nil && !strings.HasPrefix(m[2], "rounds=") {
		rounds, _ := strconv.Atoi(m[1])
		return costs(rounds <= maxSHARounds, "SHA-256 and SHA-512 may have at most 100000 rounds")
	}
	if m := bcryptHash.FindStringSubmatch(hash); m != nil {
		cost, _ := strconv.Atoi(m[1])
		return costs(cost <= maxBcryptCost, "bcrypt may have a cost of at most 12")
	}
	if m := yescryptHash.FindStringSubmatch(hash); m != nil {
		// N is 2^(digit+1); the default is 9 with blocks of 4 kB (T).
		return costs(cryptNumber(m[1]) <= cryptNumber("A"), "yescrypt may have at most twice its default, $y$jAT$")
	}
	if m := scryptHash.FindStringSubmatch(hash); m != nil {
		n, r, p := cryptNumber(m[1]), cryptNumber(m[2]), cryptNumber(m[3])
		fits := n < 19 && r > 0 && p > 0 && r <= maxScryptBlock && p <= maxScryptBlock && (1<<n)*r*p <= maxScryptBlock
		return costs(fits, "scrypt may have N*r*p of at most 2^18")
	}
	return "has a hash of a kind that is not known; $apr1$, $2y$, $5$, $6$, $y$ and {SSHA} are some that are"
}

func costs(fits bool, rule string) string {
	if fits {
		return ""
	}
	return tooCostly + rule
}

// cryptNumber reads a number as crypt(3) writes it, the lowest digit first.
func cryptNumber(s string) int {
	n := 0
	for i := len(s) - 1; i >= 0; i-- {
		n = n<<6 | strings.IndexByte(cryptDigits, s[i])
	}
	return n
}
