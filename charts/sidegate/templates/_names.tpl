{{/* Names and labels. They are made as in ingress-nginx's chart: with nameOverride
     ingress-nginx they are the same, so that a release of it is upgraded in place
     and its Service, with the address of the load balancer, stays. */}}

{{- define "sidegate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "sidegate.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "sidegate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "sidegate.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "sidegate.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "sidegate.controller.fullname" -}}
{{- printf "%s-%s" (include "sidegate.fullname" .) .Values.controller.name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "sidegate.defaultBackend.fullname" -}}
{{- printf "%s-%s" (include "sidegate.fullname" .) .Values.defaultBackend.name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "sidegate.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "sidegate.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "sidegate.defaultBackend.serviceAccountName" -}}
{{- if .Values.defaultBackend.serviceAccount.create -}}
{{- default (printf "%s-backend" (include "sidegate.fullname" .)) .Values.defaultBackend.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.defaultBackend.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* What a selector holds may never change. */}}
{{- define "sidegate.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sidegate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The labels of an object, from ours, those of all objects, and more: called with
     (dict "context" $ "component" … "more" (list …)). Of pods they are without
     versions ("pod" true): by its labels a pod that ends knows whether others go on. */}}
{{- define "sidegate.labelsOf" -}}
{{- $ := .context -}}
{{- $own := dict "app.kubernetes.io/part-of" (include "sidegate.name" $) "app.kubernetes.io/managed-by" $.Release.Service -}}
{{- if not .pod -}}
{{- $_ := set $own "helm.sh/chart" (include "sidegate.chart" $) -}}
{{- $_ := set $own "app.kubernetes.io/version" $.Chart.AppVersion -}}
{{- end -}}
{{- $labels := mustMergeOverwrite $own (deepCopy $.Values.commonLabels) -}}
{{- range .more -}}{{- $labels = mustMergeOverwrite $labels (deepCopy .) -}}{{- end -}}
{{- $labels = mustMergeOverwrite $labels (include "sidegate.selectorLabels" $ | fromYaml) -}}
{{- with .component -}}{{- $_ := set $labels "app.kubernetes.io/component" . -}}{{- end -}}
{{- $out := dict -}}
{{- range $key, $value := $labels -}}{{- $_ := set $out $key (include "sidegate.text" $value) -}}{{- end -}}
{{- toYaml $out -}}
{{- end -}}

{{- define "sidegate.labels" -}}
{{- include "sidegate.labelsOf" (dict "context" .) -}}
{{- end -}}

{{- define "sidegate.controller.selectorLabels" -}}
{{ include "sidegate.selectorLabels" . }}
app.kubernetes.io/component: controller
{{- end -}}

{{- define "sidegate.controller.labels" -}}
{{- include "sidegate.labelsOf" (dict "context" . "component" "controller" "more" (list .Values.controller.labels)) -}}
{{- end -}}

{{- define "sidegate.defaultBackend.selectorLabels" -}}
{{ include "sidegate.selectorLabels" . }}
app.kubernetes.io/component: default-backend
{{- end -}}

{{- define "sidegate.defaultBackend.labels" -}}
{{- include "sidegate.labelsOf" (dict "context" . "component" "default-backend" "more" (list .Values.defaultBackend.labels)) -}}
{{- end -}}

{{/* Values of an ingress-nginx release may hold templates that call its helpers. */}}
{{- define "ingress-nginx.name" -}}{{ include "sidegate.name" . }}{{- end -}}
{{- define "ingress-nginx.fullname" -}}{{ include "sidegate.fullname" . }}{{- end -}}
{{- define "ingress-nginx.namespace" -}}{{ include "sidegate.namespace" . }}{{- end -}}
{{- define "ingress-nginx.controller.fullname" -}}{{ include "sidegate.controller.fullname" . }}{{- end -}}
{{- define "ingress-nginx.defaultBackend.fullname" -}}{{ include "sidegate.defaultBackend.fullname" . }}{{- end -}}
{{- define "ingress-nginx.serviceAccountName" -}}{{ include "sidegate.serviceAccountName" . }}{{- end -}}
{{- define "ingress-nginx.selectorLabels" -}}{{ include "sidegate.selectorLabels" . }}{{- end -}}
{{- define "ingress-nginx.labels" -}}{{ include "sidegate.labels" . }}{{- end -}}

{{/* A value as text. Numbers of values are floating-point ones, and large ones of
     them would be written as 1e+06. */}}
{{- define "sidegate.text" -}}
{{- if kindIs "invalid" . -}}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- printf "%.0f" . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{/* A map of such values: annotations, in which "true" without quotes is refused. */}}
{{- define "sidegate.texts" -}}
{{- $out := dict -}}
{{- range $key, $value := . -}}{{- $_ := set $out $key (include "sidegate.text" $value) -}}{{- end -}}
{{- toYaml $out -}}
{{- end -}}

{{/* Values that may hold templates: called with (dict "value" … "context" $). */}}
{{- define "sidegate.tpl" -}}
{{- tpl (toYaml .value) .context -}}
{{- end -}}
