{{/* What the values say and does not happen as they say it: a list of
     {key, instead}, for NOTES.txt. */}}

{{/* The value of a key with dots, as JSON; "null" where there is none. */}}
{{- define "sidegate.lookup" -}}
{{- $at := .values -}}
{{- range splitList "." .key -}}
{{- if kindIs "map" $at -}}{{- $at = get $at . -}}{{- else -}}{{- $at = "" -}}{{- end -}}
{{- end -}}
{{- if eq (toString $at) "" -}}null{{- else -}}{{- toJson $at -}}{{- end -}}
{{- end -}}

{{- define "sidegate.reports" -}}
{{- $c := .Values.controller -}}
{{- $table := .Files.Get "files/ingress-nginx.yaml" | fromYaml -}}
{{- $out := list -}}
{{- if include "sidegate.image.foreign" . -}}
{{- $out = append $out (dict "key" "controller.image" "instead" (printf "%s is an image of ingress-nginx, which cannot run here. %s is used." (printf "%s:%s" (coalesce $c.image.repository $c.image.image) (toString $c.image.tag)) (include "sidegate.image" .))) -}}
{{- end -}}
{{- range $key, $registry := dict "global.image.registry" .Values.global.image.registry "controller.image.registry" $c.image.registry -}}
{{- if and $registry (not (include "sidegate.registry" $registry)) -}}
{{- $out = append $out (dict "key" $key "instead" (printf "%s holds no image of Sidegate, which is pulled as %s." $registry (include "sidegate.image" $))) -}}
{{- end -}}
{{- end -}}
{{- range $row := $table.values -}}
{{- $value := include "sidegate.lookup" (dict "values" $.Values "key" $row.key) -}}
{{- $same := list -}}
{{- range $row.same -}}{{- $same = append $same (toJson .) -}}{{- end -}}
{{- $nothing := has $value (ternary (list "null") (list "null" "{}" "[]" "false" "0") (gt (len $same) 0)) -}}
{{- $off := and $row.switch (eq "false" (include "sidegate.lookup" (dict "values" $.Values "key" (printf "%s.%s" $row.key $row.switch)))) -}}
{{- if not (or $nothing $off (has $value $same)) -}}
{{- $out = append $out (pick $row "key" "instead") -}}
{{- end -}}
{{- end -}}
{{- range $reason, $text := dict "not yet" "what the flag is for is not there yet." "no need" "there is nothing for the flag to do." -}}
{{- range $flag := get $table.flags $reason -}}
{{- if and (hasKey $c.extraArgs $flag) (ne $flag "shutdown-grace-period") -}}
{{- $out = append $out (dict "key" (printf "controller.extraArgs.%s" $flag) "instead" $text) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if contains "wait-shutdown" (toJson $c.lifecycle) -}}
{{- $out = append $out (dict "key" "controller.lifecycle" "instead" (printf "there is no /wait-shutdown. A pod that is to end takes connections for %s more seconds, then finishes its requests." (include "sidegate.preStopSeconds" .))) -}}
{{- end -}}
{{- range $probe := list "startupProbe" "livenessProbe" "readinessProbe" -}}
{{- $rest := omit (get $c $probe) "initialDelaySeconds" "periodSeconds" "timeoutSeconds" "successThreshold" "failureThreshold" "terminationGracePeriodSeconds" -}}
{{- $path := dig "httpGet" "path" "/healthz" $rest -}}
{{- if or (ne $path "/healthz") (omit $rest "httpGet") -}}
{{- $out = append $out (dict "key" (printf "controller.%s" $probe) "instead" "its times are used; what is asked is Sidegate's own.") -}}
{{- end -}}
{{- end -}}
{{- if and $c.customTemplate.configMapName (not (include "sidegate.templateDir" .)) -}}
{{- $out = append $out (dict "key" "controller.customTemplate" "instead" "the one template of ingress-nginx is another language and is not used. Templates of Sidegate are one file a block: make a ConfigMap of them, and leave configMapKey empty.") -}}
{{- end -}}
{{- if and (not $c.publishService.enabled) (not (get $c.extraArgs "publish-status-address")) -}}
{{- $out = append $out (dict "key" "controller.publishService.enabled" "instead" "addresses of nodes are not reported yet, so the status of Ingresses stays empty. Set controller.extraArgs.publish-status-address.") -}}
{{- end -}}
{{- if and $c.service.internal.enabled (not $c.service.internal.annotations) -}}
{{- $out = append $out (dict "key" "controller.service.internal.enabled" "instead" "without controller.service.internal.annotations the internal Service is not made, as with ingress-nginx.") -}}
{{- end -}}
{{- if and .Values.defaultBackend.enabled (not (include "sidegate.defaultBackend.run" .)) -}}
{{- $out = append $out (dict "key" "defaultBackend.enabled" "instead" "no pods are needed for ingress-nginx's default backend: nginx itself answers 404 as it did. Set defaultBackend.image for one of your own.") -}}
{{- end -}}
{{- if ne (include "sidegate.name" .) "ingress-nginx" -}}
{{- range $key := list "affinity" "topologySpreadConstraints" -}}
{{- if contains "\"ingress-nginx\"" (toJson (get $c $key)) -}}
{{- $out = append $out (dict "key" (printf "controller.%s" $key) "instead" (printf "it looks for pods named ingress-nginx, and the pods' label app.kubernetes.io/name is %s. Change it, or set nameOverride: ingress-nginx." (include "sidegate.name" $))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := dict "controller.metrics.prometheusRule.rules" $c.metrics.prometheusRule.rules "controller.keda.triggers" $c.keda.triggers "controller.autoscalingTemplate" $c.autoscalingTemplate -}}
{{- if regexMatch "nginx_ingress_controller_(requests|request_|response_|connect_|header_|bytes_|ingress_)" (toJson $value) -}}
{{- $out = append $out (dict "key" $key "instead" "metrics of requests (nginx_ingress_controller_requests and others) are not there yet: what depends on them sees nothing.") -}}
{{- end -}}
{{- end -}}
{{- toYaml $out -}}
{{- end -}}
