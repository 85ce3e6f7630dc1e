{{/* The nodes with their ports, as YAML: nodes: [...]. Refuses doubled names and ports. */}}
{{- define "cumulet.nodes" -}}
{{- $root := . -}}
{{- $nodes := list -}}
{{- $names := dict -}}
{{- $ports := dict -}}
{{- range $i, $node := .Values.nodes -}}
{{- $port := int (default (add $root.Values.basePort $i) $node.port) -}}
{{- if hasKey $names $node.name -}}
{{- fail (printf "nodes[%d].name: %q is the name of another node" $i $node.name) -}}
{{- end -}}
{{- if hasKey $ports (toString $port) -}}
{{- fail (printf "nodes[%d].port: %d is taken by node %q; all nodes share the pod's address" $i $port (get $ports (toString $port))) -}}
{{- end -}}
{{- $_ := set $names $node.name true -}}
{{- $_ = set $ports (toString $port) $node.name -}}
{{- $nodes = append $nodes (mergeOverwrite (deepCopy $node) (dict "port" $port)) -}}
{{- end -}}
{{- range $port := list .Values.health.port (ternary .Values.metrics.port .Values.health.port .Values.metrics.enabled) -}}
{{- if hasKey $ports (toString (int $port)) -}}
{{- fail (printf "port %d is both a node's and that of health or metrics" (int $port)) -}}
{{- end -}}
{{- end -}}
nodes: {{ $nodes | toJson }}
{{- end -}}

{{/* A node's credentials in the configuration. Takes a dict of root and cloud. */}}
{{- define "cumulet.nodeCredentials" -}}
{{- $of := index .root.Values.credentials .cloud -}}
{{- $source := include "cumulet.credentialSource" . -}}
{{- if eq $source "ecsRAMRole" -}}
ecsRAMRole: {{ $of.ecsRAMRole | quote }}
{{- else if eq $source "rrsa" -}}
rrsa:
  roleARN: {{ $of.rrsa.roleARN | quote }}
  oidcProviderARN: {{ $of.rrsa.oidcProviderARN | quote }}
  tokenFile: /var/run/secrets/cumulet/rrsa/token
  sessionName: {{ $of.rrsa.sessionName | quote }}
  {{- with $of.rrsa.stsEndpoint }}
  stsEndpoint: {{ . | quote }}
  {{- end }}
{{- else -}}
file: /etc/cumulet/credentials/{{ .cloud }}
{{- end -}}
{{- end -}}

{{/* The nodes' TLS in the configuration. */}}
{{- define "cumulet.nodeServing" -}}
{{- if .Values.serving.existingSecret }}
certFile: /etc/cumulet/serving/tls.crt
keyFile: /etc/cumulet/serving/tls.key
{{- else if .Values.serving.approve }}
approve: true
{{- end }}
{{- if .Values.serving.clientCA.configMap }}
clientCAFile: /etc/cumulet/client-ca/ca.crt
{{- end }}
{{- end -}}

{{/* The configuration file. */}}
{{- define "cumulet.config" -}}
{{- $root := . -}}
clusterID: {{ include "cumulet.clusterID" . | quote }}
stateDir: /var/lib/cumulet
clusterDomain: {{ .Values.clusterDomain | quote }}
{{- with .Values.clusterDNS }}
clusterDNS: {{ . | toJson }}
{{- end }}
healthAddress: ":{{ .Values.health.port }}"
metricsAddress: {{ ternary (printf ":%d" (int .Values.metrics.port)) "0" .Values.metrics.enabled | quote }}
leaderElection:
  enabled: {{ .Values.leaderElection.enabled }}
  namespace: {{ .Release.Namespace }}
  name: {{ include "cumulet.fullname" . }}
{{- $nodes := (include "cumulet.nodes" . | fromYaml).nodes }}
{{- if not $nodes }}
nodes: []
{{- else }}
nodes:
{{- range $node := $nodes }}
  -
    {{- omit $node "kubeconfigSecret" | toYaml | nindent 4 }}
    {{- if $node.kubeconfigSecret }}
    kubeconfig: /etc/cumulet/kubeconfigs/{{ $node.name }}/kubeconfig
    {{- end }}
    credentials:
      {{- include "cumulet.nodeCredentials" (dict "root" $root "cloud" $node.cloud) | nindent 6 }}
    {{- with include "cumulet.nodeServing" $root | trim }}
    serving:
      {{- . | nindent 6 }}
    {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Whether some node needs its identity requested: "true" or nothing. */}}
{{- define "cumulet.bootstraps" -}}
{{- $needed := not .Values.nodes -}}
{{- range .Values.nodes -}}
{{- if not .kubeconfigSecret -}}{{- $needed = true -}}{{- end -}}
{{- end -}}
{{- if and $needed .Values.rbac.bootstrap -}}true{{- end -}}
{{- end -}}
