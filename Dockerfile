# The image of both containers of the pod: a stock nginx and the controller.
#
#   docker build --build-arg VERSION=$(git describe --tags --always) -t sidegate/sidegate .
#
# For another architecture add --platform=linux/arm64: nothing of the image is
# run to build it, so no emulation is needed. Without an engine: make image.
# What the final stage sets, `make image` reads from here.

ARG GO_VERSION=1.26
ARG NGINX_VERSION=1.30.6

FROM nginx:${NGINX_VERSION} AS nginx

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS build
RUN apt-get update && apt-get install -y --no-install-recommends libcap2-bin

# An nginx before 1.30.1 has a heap overflow (CVE-2026-42945). The binary may be
# of an architecture that cannot run here, so its version is read, not asked.
COPY --from=nginx /usr/sbin/nginx /out/usr/sbin/nginx
RUN version=$(grep -aom1 'nginx version: nginx/[0-9.]*' /out/usr/sbin/nginx | cut -d/ -f2) \
	&& { printf '%s\n' 1.30.1 "$version" | sort -VC || { echo "nginx 1.30.1 or newer is needed, and the base image has ${version:-none}" >&2; exit 1; }; }

WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY LICENSE ./
COPY build/layout.sh build/
COPY cmd cmd
COPY pkg pkg
COPY rootfs rootfs
COPY templates templates
ARG TARGETARCH
ARG VERSION=unknown
RUN CGO_ENABLED=0 GOOS=linux GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
		-ldflags "-s -w -X main.version=$VERSION" -o /sidegate ./cmd/sidegate \
	&& build/layout.sh /sidegate /out

# On the host's network nginx needs the capability to listen on ports below
# 1024. It is a copy that has it: elsewhere nginx needs none, and what /proc has
# of a program with capabilities is not the controller's to read. Where no
# privileges may be gained, a process cannot hand on what it has not, so the
# controller has it too, for the nginx that tests: permitted only, so that it
# starts without as well.
#
# The controller tests with another copy: what /proc has of a process is root's
# where its program cannot be read, so that the nginx beside it, which has the
# same user, cannot get at the token by way of a test.
RUN install -m 711 /out/usr/sbin/nginx /out/usr/sbin/nginx-test \
	&& mv /out/usr/sbin/nginx /out/usr/sbin/nginx-hostnetwork \
	&& setcap cap_net_bind_service=ep /out/usr/sbin/nginx-hostnetwork \
	&& setcap cap_net_bind_service=p /out/usr/local/bin/sidegate

FROM nginx
COPY --from=build /out/ /

ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="sidegate" \
	org.opencontainers.image.description="A Kubernetes ingress controller beside a stock nginx" \
	org.opencontainers.image.source="https://github.com/sidegate/sidegate" \
	org.opencontainers.image.licenses="Apache-2.0 AND BSD-2-Clause" \
	org.opencontainers.image.version="${VERSION}" \
	org.opencontainers.image.revision="${REVISION}"

# The controller finds nginx here.
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# The user "nginx" of the official image, by number: runAsNonRoot asks for one.
USER 101:101
EXPOSE 80 443 10254
# For nginx this is the graceful end, and the controller takes it as SIGTERM.
STOPSIGNAL SIGQUIT
# The official image's entrypoint writes configuration; it is not run.
ENTRYPOINT ["/usr/local/bin/sidegate"]
CMD []
