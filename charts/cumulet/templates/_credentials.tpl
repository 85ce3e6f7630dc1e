{{/* The clouds that nodes use, as YAML: clouds: [eci, kci]. */}}
{{- define "cumulet.clouds" -}}
{{- $clouds := list -}}
{{- range .Values.nodes -}}
{{- $clouds = append $clouds .cloud -}}
{{- end -}}
clouds: {{ $clouds | uniq | sortAlpha | toJson }}
{{- end -}}

{{/*
Where a cloud's keys come from: secret, role or rrsa. Takes a dict of root and
cloud. Anything but one source is refused.
*/}}
{{- define "cumulet.credentialSource" -}}
{{- $of := index .root.Values.credentials .cloud -}}
{{- $named := list -}}
{{- if $of.existingSecret -}}{{- $named = append $named "existingSecret" -}}{{- end -}}
{{- if or $of.accessKeyId $of.accessKeySecret $of.securityToken -}}{{- $named = append $named "accessKeyId" -}}{{- end -}}
{{- if $of.ecsRAMRole -}}{{- $named = append $named "ecsRAMRole" -}}{{- end -}}
{{- if dig "rrsa" "roleARN" "" $of -}}{{- $named = append $named "rrsa" -}}{{- end -}}
{{- if ne (len $named) 1 -}}
{{- fail (printf "credentials.%s: a node uses this cloud, so name one source of keys (existingSecret, or accessKeyId with accessKeySecret%s); named: %s" .cloud (ternary ", or ecsRAMRole, or rrsa" "" (eq .cloud "eci")) (default "none" (join ", " $named))) -}}
{{- end -}}
{{- $source := first $named -}}
{{- if and (eq $source "accessKeyId") (not (and $of.accessKeyId $of.accessKeySecret)) -}}
{{- fail (printf "credentials.%s: accessKeyId and accessKeySecret go together" .cloud) -}}
{{- end -}}
{{- if and (eq $source "rrsa") (not $of.rrsa.oidcProviderARN) -}}
{{- fail (printf "credentials.%s.rrsa: roleARN and oidcProviderARN go together" .cloud) -}}
{{- end -}}
{{- $source -}}
{{- end -}}

{{/* Name of the Secret with a cloud's keys. Takes a dict of root and cloud. */}}
{{- define "cumulet.credentialSecret" -}}
{{- $of := index .root.Values.credentials .cloud -}}
{{- default (printf "%s-%s" (include "cumulet.fullname" .root) .cloud) $of.existingSecret -}}
{{- end -}}
