package dockerfile

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestConfig(t *testing.T) {
	const file = `
ARG BASE=ignored
FROM golang AS build
USER builder
RUN make
FROM scratch
COPY --from=build /a /a
ARG VERSION=none
ARG NAME=n
ENV DIR=/data
ENV PATH=${DIR}/bin
LABEL version="$VERSION" name=$NAME
WORKDIR $DIR
EXPOSE 80 53/udp
USER 101:101
STOPSIGNAL SIGQUIT
ENTRYPOINT ["/a", "$VERSION"]
CMD []
`
	got, err := Config(strings.NewReader(file), map[string]string{"VERSION": "1"})
	want := v1.Config{
		Env: []string{"DIR=/data", "PATH=/data/bin"}, Labels: map[string]string{"version": "1", "name": "n"}, WorkingDir: "/data",
		ExposedPorts: map[string]struct{}{"80/tcp": {}, "53/udp": {}}, User: "101:101", StopSignal: "SIGQUIT",
		Entrypoint: []string{"/a", "$VERSION"}, Cmd: []string{},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %#v, %v\nwant %#v", got, err, want)
	}
}

func TestConfigRefuses(t *testing.T) {
	for file, want := range map[string]string{
		"":                             "the Dockerfile: file with no instructions",
		"ARG A=1":                      "there is no stage in it",
		"FROM x\nWHAT 1":               "unknown instruction",
		"FROM x\nRUN rm -rf /":         "line 2: RUN in the final stage cannot be done without an engine",
		"FROM x\nVOLUME /a":            "line 2: VOLUME in the final stage",
		"FROM x\nENTRYPOINT run me":    "line 2: ENTRYPOINT: want a JSON list",
		"FROM x\nCMD run me":           "line 2: CMD: want a JSON list",
		"FROM x\nARG A\nUSER $A":       "line 3: $A is used and has no value",
		"FROM x\nUSER $B":              "line 2: $B is used and has no value",
		"FROM x\nLABEL a=\"unfinished": "",
	} {
		_, err := Config(strings.NewReader(file), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: the error is %v, want %q", file, err, want)
		}
	}
	if _, err := Config(strings.NewReader("FROM x\nARG A"), map[string]string{"B": ""}); err == nil || !strings.Contains(err.Error(), "no ARG B") {
		t.Errorf("a build argument that nothing takes: %v", err)
	}
}

// What the chart and the documentation count on.
func TestOurs(t *testing.T) {
	f, err := os.Open("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := Config(f, map[string]string{"VERSION": "1.2.3", "REVISION": "abc"})
	if err != nil {
		t.Fatal(err)
	}
	if got.User != "101:101" || !slices.Equal(got.Entrypoint, []string{"/usr/local/bin/sidegate"}) || len(got.Cmd) != 0 || got.StopSignal != "SIGQUIT" {
		t.Errorf("the config is %+v", got)
	}
	if ports := slices.Sorted(maps.Keys(got.ExposedPorts)); !slices.Equal(ports, []string{"10254/tcp", "443/tcp", "80/tcp"}) {
		t.Errorf("the ports are %v", ports)
	}
	const prefix = "org.opencontainers.image."
	for _, label := range []string{"title", "description", "source", "licenses", "version", "revision"} {
		if v := got.Labels[prefix+label]; v == "" || v == "unknown" {
			t.Errorf("the label %s%s is %q", prefix, label, v)
		}
	}
}
