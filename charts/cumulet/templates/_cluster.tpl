{{/*
The cluster's id: the UID of the namespace kube-system, asked for where helm can
reach the cluster, else the value clusterID. Without nodes nothing runs, and the
id may be missing; cumulet refuses an empty one.
*/}}
{{- define "cumulet.clusterID" -}}
{{- $namespace := lookup "v1" "Namespace" "" "kube-system" -}}
{{- $uid := dig "metadata" "uid" "" $namespace -}}
{{- $given := .Values.clusterID -}}
{{- if and $uid $given (ne $uid $given) -}}
{{- fail (printf "clusterID is %q, but this cluster's kube-system namespace has the UID %q. The value is another cluster's: leave clusterID empty, or two clusters would take each other's container groups for their own." $given $uid) -}}
{{- end -}}
{{- if and .Values.nodes (not $uid) (not $given) -}}
{{- fail "clusterID is needed where helm does not ask the cluster (helm template, Argo CD): set it to the output of: kubectl get namespace kube-system -o jsonpath={.metadata.uid}" -}}
{{- end -}}
{{- default $given $uid -}}
{{- end -}}
