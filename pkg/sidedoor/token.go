package sidedoor

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// minToken is the shortest token that is taken, in bytes.
const minToken = 16

// ReadToken reads the token that requests by TCP must bear. The file must be
// out of reach for others.
func ReadToken(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	// A kubelet adds the pod's group to what it mounts, to read it.
	if mode := info.Mode(); !mode.IsRegular() || mode.Perm()&0o027 != 0 {
		return "", fmt.Errorf("%s must be a file that others cannot read (mode 0600), and has mode %s", file, mode)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if len(token) < minToken || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%s must hold one token of %d characters or more", file, minToken)
	}
	return token, nil
}

// ErrNoToken is why a TCP address is refused.
var ErrNoToken = errors.New("anybody who reaches a TCP address, such as nginx, could ask it: name a file with a token by --debug-token-file, or use unix:PATH")

// Authorize lets only requests with the token through.
func Authorize(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte("Bearer " + token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(r.Header.Get("Authorization")))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error": "a token is needed, or another one: --debug-token-file"}` + "\n")) // the client has gone
			return
		}
		next.ServeHTTP(w, r)
	})
}
