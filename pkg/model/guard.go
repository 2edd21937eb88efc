package model

import (
	"regexp"
	"strconv"
	"strings"
)

// NotFalse is for flags that guard and cannot be had: what is not false, and
// not empty, may well mean true.
func NotFalse(value string) bool {
	on, err := strconv.ParseBool(strings.TrimSpace(value))
	return on || err != nil && strings.TrimSpace(value) != ""
}

// NotEmpty is for lists and addresses that guard and cannot be had.
func NotEmpty(value string) bool { return strings.TrimSpace(value) != "" }

// accessDirective is a directive of nginx.conf that keeps requests out.
var accessDirective = regexp.MustCompile(`(?:^|[;{}\n])\s*(?:deny|allow|satisfy|limit_except|internal|valid_referers|secure_link\w*|auth_\w+|ssl_client_certificate|ssl_verify_client|modsecurity\w*|access_by_lua\w*|rewrite_by_lua\w*|return\s+[45]\d\d)\b`)

// SnippetGuards tells whether a piece of nginx.conf that cannot be had may have
// kept requests out.
func SnippetGuards(snippet string) bool { return accessDirective.MatchString(snippet) }
