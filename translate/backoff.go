package translate

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// NamesPod puts the pod's own name, namespace and uid, as a kubelet writes them, in
// the place of those under which a cloud's agent knows its group, in what kubelets
// say of a container's back-off: the state's message ends with pod=NAME, the
// event's with in pod NAME.
func NamesPod(pod *corev1.Pod, message string) string {
	for _, mark := range []string{" pod=", " in pod "} {
		before, name, found := strings.Cut(message, mark)
		if found && strings.Contains(before, "restarting failed container") && !strings.Contains(name, " ") {
			return fmt.Sprintf("%s%s%s_%s(%s)", before, mark, pod.Name, pod.Namespace, pod.UID)
		}
	}
	return message
}
