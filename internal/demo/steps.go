package demo

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

func (s *scene) nodeReady(ctx context.Context) error {
	if _, err := s.kube.run(ctx, "wait", "--for=condition=Ready", "--timeout=30s", "node/"+s.Node); err != nil {
		return err
	}
	_, err := s.kube.run(ctx, "get", "node", s.Node)
	return err
}

func (s *scene) apply(ctx context.Context) error {
	_, err := s.kube.apply(ctx, s.manifest(podManifest))
	return err
}

func (s *scene) running(ctx context.Context) error {
	if _, err := s.kube.run(ctx, "wait", "--for=condition=Ready", "--timeout=50s", s.pod()); err != nil {
		_, _ = s.kube.run(ctx, "describe", s.pod()) // for the person who reads the failure
		return err
	}
	if _, err := s.kube.run(ctx, "get", s.pod(), "-o", "wide"); err != nil {
		return err
	}
	ip, err := s.kube.run(ctx, "get", s.pod(), "-o", "jsonpath={.status.podIP}{\"\\n\"}")
	if err != nil {
		return err
	}
	if net.ParseIP(strings.TrimSpace(ip)) == nil {
		return fmt.Errorf("pod's address is %q", ip)
	}
	events, err := s.kube.run(ctx, "get", "events", "--field-selector", "involvedObject.name="+s.name(),
		"-o", "custom-columns=REASON:.reason,MESSAGE:.message")
	if err != nil {
		return err
	}
	for _, reason := range []string{"Pulling", "Pulled", "Created", "Started"} {
		if !strings.Contains(events, reason) {
			return fmt.Errorf("no event %s was told on the pod", reason)
		}
	}
	return nil
}

func (s *scene) name() string { return "hello-" + s.Cloud }

func (s *scene) pod() string { return "pod/" + s.name() }

func (s *scene) follow(ctx context.Context) error {
	lines, err := s.kube.head(ctx, 3, "logs", "-f", s.pod())
	if err != nil {
		return err
	}
	for _, line := range lines {
		if !strings.Contains(line, "the ConfigMap says hello") {
			return fmt.Errorf("log line is %q, the container should print what the init container took from the ConfigMap", line)
		}
	}
	return nil
}

func (s *scene) exec(ctx context.Context) error {
	out, err := s.kube.run(ctx, "exec", s.name(), "--", "sh", "-c", "cat /etc/greeting/text; echo $POD_NAME")
	if err != nil {
		return err
	}
	if want := "hello\n" + s.name() + "\n"; out != want {
		return fmt.Errorf("command printed %q, want %q", out, want)
	}
	code, err := s.kube.exitCode(ctx, "exec", s.name(), "--", "sh", "-c", "exit 3")
	if err != nil {
		return err
	}
	if code != 3 {
		return fmt.Errorf("kubectl exec ended with %d, want the command's 3", code)
	}
	return nil
}

func (s *scene) job(ctx context.Context) error {
	if _, err := s.kube.apply(ctx, s.manifest(jobManifest)); err != nil {
		return err
	}
	if _, err := s.kube.run(ctx, "wait", "--for=condition=Complete", "--timeout=50s", "job/count-"+s.Cloud); err != nil {
		_, _ = s.kube.run(ctx, "describe", "pods", "-l", "job-name=count-"+s.Cloud) // as above
		return err
	}
	out, err := s.kube.run(ctx, "logs", "job/count-"+s.Cloud)
	if err != nil {
		return err
	}
	if want := "one\ntwo\nthree\n"; out != want {
		return fmt.Errorf("job's log is %q, want %q", out, want)
	}
	return nil
}

func (s *scene) refused(ctx context.Context) error {
	if _, err := s.kube.apply(ctx, s.manifest(refusedManifest)); err != nil {
		return err
	}
	pod := "pod/refused-" + s.Cloud
	if _, err := s.kube.run(ctx, "wait", "--for=jsonpath={.status.phase}=Failed", "--timeout=30s", pod); err != nil {
		return err
	}
	reason, err := s.kube.run(ctx, "get", pod, "-o", "jsonpath={.status.reason}: {.status.message}{\"\\n\"}")
	if err != nil {
		return err
	}
	for _, field := range []string{"spec.hostNetwork", "spec.volumes[0].hostPath"} {
		if !strings.Contains(reason, field) {
			return fmt.Errorf("pod's reason does not name %s: %q", field, reason)
		}
	}
	return nil
}

func (s *scene) remove(ctx context.Context) error {
	_, err := s.kube.run(ctx, "delete", "--timeout=50s",
		s.pod(), "job/count-"+s.Cloud, "pod/refused-"+s.Cloud, "configmap/greeting-"+s.Cloud, "secret/password-"+s.Cloud)
	return err
}

// poll is the time between two looks into the cloud.
const poll = 200 * time.Millisecond

// empty asks the emulator's admin port, which knows what truly exists.
func (s *scene) empty(ctx context.Context) error {
	var left []string
	gone := func(ctx context.Context) (bool, error) {
		alive, err := s.stack.Clouds.Alive(ctx, s.Cloud)
		left = nil
		for _, g := range alive {
			left = append(left, g.ID+" "+g.Name+" "+g.Status)
		}
		return len(alive) == 0, err
	}
	if err := wait.PollUntilContextCancel(ctx, poll, true, gone); err != nil {
		return fmt.Errorf("waiting for the cloud to be empty (left: %s): %w", strings.Join(left, ", "), err)
	}
	all, err := s.stack.Clouds.Groups(ctx)
	if err != nil {
		return err
	}
	count := 0
	for _, g := range all {
		if g.Cloud == s.Cloud {
			count++
		}
	}
	s.printf("   %d container groups existed, none is left\n", count)
	want, of := 2, "one for the pod and one for the job"
	if s.stack.PodsReachable() {
		want, of = 4, of+", two for nginx"
	}
	if count != want {
		return fmt.Errorf("%d container groups were made, want %d: %s", count, want, of)
	}
	return nil
}
