{{/* The flags of the controller. */}}

{{/* The number of a port that both a value and a flag may say: the flag wins. */}}
{{- define "sidegate.port" -}}
{{- $flag := get .context.Values.controller.extraArgs .flag -}}
{{- int (toString ($flag | default .value)) -}}
{{- end -}}

{{- define "sidegate.httpPort" -}}
{{- include "sidegate.port" (dict "context" . "flag" "http-port" "value" .Values.controller.containerPort.http) -}}
{{- end -}}

{{- define "sidegate.httpsPort" -}}
{{- include "sidegate.port" (dict "context" . "flag" "https-port" "value" .Values.controller.containerPort.https) -}}
{{- end -}}

{{- define "sidegate.healthPort" -}}
{{- include "sidegate.port" (dict "context" . "flag" "healthz-port" "value" .Values.controller.metrics.port) -}}
{{- end -}}

{{/* The Service whose addresses Ingresses report, as NAMESPACE/NAME. Empty is none. */}}
{{- define "sidegate.publishService" -}}
{{- $c := .Values.controller -}}
{{- if and $c.publishService.enabled (not (get $c.extraArgs "publish-status-address")) -}}
{{- if $c.publishService.pathOverride -}}
{{- tpl $c.publishService.pathOverride . -}}
{{- else if include "sidegate.service.external" . -}}
{{- printf "%s/%s" (include "sidegate.namespace" .) (include "sidegate.controller.fullname" .) -}}
{{- else if include "sidegate.service.internal" . -}}
{{- printf "%s/%s-internal" (include "sidegate.namespace" .) (include "sidegate.controller.fullname" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "sidegate.service.external" -}}
{{- if and .Values.controller.service.enabled .Values.controller.service.external.enabled -}}true{{- end -}}
{{- end -}}

{{- define "sidegate.service.internal" -}}
{{- $s := .Values.controller.service -}}
{{- if and $s.enabled $s.internal.enabled $s.internal.annotations -}}true{{- end -}}
{{- end -}}

{{- define "sidegate.configMapNamespace" -}}
{{- .Values.controller.configMapNamespace | default (include "sidegate.namespace" .) -}}
{{- end -}}

{{/* The namespace that is served. Empty is all. */}}
{{- define "sidegate.watchNamespace" -}}
{{- $c := .Values.controller -}}
{{- if get $c.extraArgs "watch-namespace" -}}
{{- get $c.extraArgs "watch-namespace" -}}
{{- else if $c.scope.enabled -}}
{{- $c.scope.namespace | default (include "sidegate.namespace" .) -}}
{{- end -}}
{{- end -}}

{{/* The directory of templates in the place of built-in ones. With a key it is
     ingress-nginx's one template, which cannot work here. */}}
{{- define "sidegate.templateDir" -}}
{{- $t := .Values.controller.customTemplate -}}
{{- if and $t.configMapName (not $t.configMapKey) -}}/etc/sidegate/custom{{- end -}}
{{- end -}}

{{/* All of it, as a list. The flags that the chart sets come first, in order, and
     those of extraArgs take their place. A value that is false or 0 is a value. */}}
{{- define "sidegate.flags" -}}
{{- $c := .Values.controller -}}
{{- $flags := dict
    "configmap" (printf "%s/%s" (include "sidegate.configMapNamespace" .) (include "sidegate.controller.fullname" .))
    "controller-class" $c.ingressClassResource.controllerValue
    "ingress-class" $c.ingressClass
    "election-id" ($c.electionID | default (printf "%s-leader" (include "sidegate.fullname" .)))
    "http-port" (include "sidegate.httpPort" .)
    "https-port" (include "sidegate.httpsPort" .)
    "healthz-port" (include "sidegate.healthPort" .)
-}}
{{- with include "sidegate.publishService" . -}}{{- $_ := set $flags "publish-service" . -}}{{- end -}}
{{- with include "sidegate.watchNamespace" . -}}{{- $_ := set $flags "watch-namespace" . -}}{{- end -}}
{{- /* These two have no effect yet, which the controller says in its log. */ -}}
{{- with $c.scope.namespaceSelector -}}{{- $_ := set $flags "watch-namespace-selector" . -}}{{- end -}}
{{- if $c.reportNodeInternalIp -}}{{- $_ := set $flags "report-node-internal-ip-address" "true" -}}{{- end -}}
{{- if .Values.rbac.scope -}}{{- $_ := set $flags "disable-ingress-classes" "true" -}}{{- end -}}
{{- if $c.watchIngressWithoutClass -}}{{- $_ := set $flags "watch-ingress-without-class" "true" -}}{{- end -}}
{{- if $c.ingressClassByName -}}{{- $_ := set $flags "ingress-class-by-name" "true" -}}{{- end -}}
{{- if $c.disableLeaderElection -}}{{- $_ := set $flags "disable-leader-election" "true" -}}{{- end -}}
{{- with $c.electionTTL -}}{{- $_ := set $flags "election-ttl" . -}}{{- end -}}
{{- with $c.healthCheckHost -}}{{- $_ := set $flags "healthz-host" . -}}{{- end -}}
{{- if ne $c.healthCheckPath "/healthz" -}}{{- $_ := set $flags "health-check-path" $c.healthCheckPath -}}{{- end -}}
{{- if .Values.tcp -}}{{- $_ := set $flags "tcp-services-configmap" (printf "%s/%s-tcp" ($c.tcp.configMapNamespace | default (include "sidegate.namespace" .)) (include "sidegate.fullname" .)) -}}{{- end -}}
{{- if .Values.udp -}}{{- $_ := set $flags "udp-services-configmap" (printf "%s/%s-udp" ($c.udp.configMapNamespace | default (include "sidegate.namespace" .)) (include "sidegate.fullname" .)) -}}{{- end -}}
{{- if include "sidegate.defaultBackend.run" . -}}{{- $_ := set $flags "default-backend-service" (printf "%s/%s" (include "sidegate.namespace" .) (include "sidegate.defaultBackend.fullname" .)) -}}{{- end -}}
{{- with include "sidegate.templateDir" . -}}{{- $_ := set $flags "template-dir" . -}}{{- end -}}
{{- if .Values.sidegate.nginxImage -}}{{- $_ := set $flags "nginx-script" "none" -}}{{- end -}}
{{- $_ := set $flags "nginx-binary" (ternary "nginx-hostnetwork" "nginx-test" $c.hostNetwork) -}}
{{- range $key, $value := $c.extraArgs -}}
{{- $_ := set $flags $key (tpl (include "sidegate.text" $value) $) -}}
{{- end -}}
{{- $out := list -}}
{{- range $key := keys $flags | sortAlpha -}}
{{- $value := get $flags $key -}}
{{- $out = append $out (ternary (printf "--%s" $key) (printf "--%s=%s" $key (toString $value)) (eq (toString $value) "")) -}}
{{- end -}}
{{- toYaml $out -}}
{{- end -}}
