{{/* Images. A values file of ingress-nginx may name that project's own image, with
     its tag, digest and registry. It cannot run here, so Sidegate's is taken, and
     NOTES.txt says so. A mirror's address stays: who has one has it for all images. */}}

{{/* The registries of ingress-nginx, which hold no image of ours. */}}
{{- define "sidegate.registry" -}}
{{- if and . (not (has . (list "registry.k8s.io" "k8s.gcr.io"))) -}}{{ . }}{{- end -}}
{{- end -}}

{{/* "true" where controller.image is ingress-nginx's. Its tags are v1.0 to v1.15,
     which no release of Sidegate has; a tag like that is its one as well where the
     image is not named. */}}
{{- define "sidegate.image.foreign" -}}
{{- $i := .Values.controller.image -}}
{{- $name := printf "%s" (coalesce $i.repository $i.image) -}}
{{- $ours := eq $name "sidegate/sidegate" -}}
{{- if or (regexMatch `(^|/)(nginx-)?ingress-(nginx/controller|controller)(-chroot)?$` $name)
    (regexMatch `(^|/)nginx-ingress-controller$` $name)
    (and $ours (regexMatch `^v1\.([0-9]|1[0-5])\.[0-9]+$` (toString $i.tag))) -}}
true
{{- end -}}
{{- end -}}

{{/* The image of the controller container, and of nginx without one of its own. */}}
{{- define "sidegate.image" -}}
{{- $i := .Values.controller.image -}}
{{- $name := "" -}}
{{- $tag := toString ($i.tag | default .Chart.AppVersion) -}}
{{- $digest := $i.digest -}}
{{- $registry := include "sidegate.registry" (coalesce $i.registry .Values.global.image.registry "") -}}
{{- if include "sidegate.image.foreign" . -}}
{{- $tag = .Chart.AppVersion -}}
{{- $digest = "" -}}
{{- if $i.repository -}}
{{- $host := splitList "/" $i.repository | first -}}
{{- $registry = "" -}}
{{- if and (ne $host "quay.io") (or (contains "." $host) (contains ":" $host) (eq $host "localhost")) -}}
{{- $registry = include "sidegate.registry" $host -}}
{{- end -}}
{{- end -}}
{{- else if $i.repository -}}
{{- $name = $i.repository -}}
{{- else -}}
{{- $name = $i.image -}}
{{- end -}}
{{- if not $name -}}{{- $name = "sidegate/sidegate" -}}{{- end -}}
{{- if and $registry (not (and $i.repository (eq $name $i.repository))) -}}
{{- $name = printf "%s/%s" $registry $name -}}
{{- end -}}
{{- $name }}:{{ $tag }}{{ with $digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "sidegate.nginxImage" -}}
{{- .Values.sidegate.nginxImage | default (include "sidegate.image" .) -}}
{{- end -}}

{{/* "true" where a default backend is to run. ingress-nginx's own answers what
     nginx here answers by itself, so it is not run. */}}
{{- define "sidegate.defaultBackend.run" -}}
{{- $i := .Values.defaultBackend.image -}}
{{- $name := coalesce $i.repository $i.image "" -}}
{{- if and .Values.defaultBackend.enabled $name (not (regexMatch `(^|/)defaultbackend(-[a-z0-9]+)?$` $name)) -}}
true
{{- end -}}
{{- end -}}

{{/* Unlike ours, images for default backends are on registry.k8s.io, and there
     ingress-nginx looks for one without a registry. */}}
{{- define "sidegate.defaultBackend.image" -}}
{{- $i := .Values.defaultBackend.image -}}
{{- $name := $i.repository | default (printf "%s/%s" (coalesce $i.registry .Values.global.image.registry "registry.k8s.io") $i.image) -}}
{{- $name }}{{ with $i.tag }}:{{ . }}{{ end }}{{ with $i.digest }}@{{ . }}{{ end -}}
{{- end -}}
