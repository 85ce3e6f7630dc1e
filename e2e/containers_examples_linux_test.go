package e2e

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/registry"
)

// sight is what the author of an example would look for once all of it is well.
type sight struct {
	// logs are patterns of all that a container of each pod writes, by its name.
	logs map[string]string
	// page is a pattern of what each pod answers, with the port and path before it.
	at, page string
	// exec is a command in each pod, and prints a pattern of what it writes.
	exec   []string
	prints string
}

// nginxPage is the page that nginx has of its own.
const nginxPage = "(?i)welcome to nginx"

// serving is a web server with its own page.
var serving = sight{at: ":80/", page: nginxPage}

// outcomes are the examples that run for real.
var outcomes = map[string]sight{
	"ack-annotations": serving,
	"autoscaled":      serving,
	"cronjob":         {logs: map[string]string{"report": "^report written\n$"}},
	"dns-config": {logs: map[string]string{ // a kubelet puts the options in no order
		"app": "^(?:search corp.example example\n)?nameserver 192.0.2.53\nnameserver 192.0.2.54\n(?:search corp.example example\n)?" +
			"options (?:ndots:2 edns0|edns0 ndots:2)\n$",
	}},
	"downward-api": {
		logs: map[string]string{"app": `(?s)POD_NAME=self-aware\n.*app="self-aware"\ntier="example"`},
		exec: []string{"sh", "-c", "echo $POD_NAME $POD_IP $NODE_NAME $MEMORY_LIMIT; cat /etc/pod/cpu"}, prints: "^self-aware POD-ADDRESS POD-NODE 512\n500$",
	},
	"ephemeral-storage": {logs: map[string]string{"unpack": `^Filesystem .*\n.* /\n$`}},
	"graceful-shutdown": serving,
	"host-aliases":      {logs: map[string]string{"app": "10.20.0.15\\s+mainframe\\s+mainframe.corp.example\n(?:.*\n)*10.20.0.16\\s+printer\n"}},
	"init-migration": {
		logs: map[string]string{"migrate": "^migrating shop on postgres.shop.svc.cluster.local\n$"}, at: ":80/", page: nginxPage,
		exec: []string{"sh", "-c", "echo $SHOP_DB_NAME on $SHOP_DB_HOST"}, prints: "^shop on postgres.shop.svc.cluster.local\n$",
	},
	"job":         {logs: map[string]string{"primes": "^2 3 5 7 11 13\n$"}},
	"job-indexed": {logs: map[string]string{"shard": "^working on part [0-7] of 8\n$"}},
	"nfs-share":   {at: ":80/", page: "^shared page\n$"},
	"nonroot": {
		logs: map[string]string{"app": "^uid=10001 gid=10001"},
		exec: []string{"sh", "-c", "touch /tmp/here && ! touch /etc/here 2>/dev/null && echo as wanted"}, prints: "^as wanted\n$",
	},
	"oss-bucket": {exec: []string{"sh", "-c", "! touch /usr/share/nginx/html/new 2>&1"}, prints: "Read-only file system"},
	"probes":     {logs: map[string]string{"app": "^serving\n$"}},
	"projected-volume": {
		exec: []string{"sh", "-c", "cd /etc/app; cat settings.yaml keys/api build; echo; stat -Lc %a settings.yaml"}, prints: "^debug: false\nnot-a-real-key42\n440\n$",
	},
	"shared-memory":       {logs: map[string]string{"consumer": `\d\d:\d\d:\d\d`}, exec: []string{"df", "/dev/shm"}, prints: "tmpfs"},
	"sidecar-logging":     {logs: map[string]string{"shipper": `\d\d:\d\d:\d\d`}},
	"sidecar-restartable": {logs: map[string]string{"migrate": "migrated /shop: hello\n$", "proxy": "^told to end\n$"}},
	"spread-nodes":        serving,
	"stateful-web":        {at: ":80/", page: nginxPage, exec: []string{"curl", "-s", "--max-time", "10", "http://peers-0.peers/"}, prints: nginxPage},
	"tls-files": {
		at: ":80/", page: nginxPage,
		exec: []string{"sh", "-c", "cat /etc/tls/server.crt; stat -Lc ' %a' /etc/tls/server.key"}, prints: "^certificate-of-an-example 400\n$",
	},
	"token-audience": {logs: map[string]string{"app": `^[1-9]\d{2,} /var/run/secrets/vault/token\n$`}},
	"web-config":     {at: ":8080/healthz", page: "^ok$", exec: []string{"curl", "-s", "http://127.0.0.1:8080/"}, prints: nginxPage},
	"web-server":     {at: ":80/", page: nginxPage, exec: []string{"curl", "-s", "--max-time", "10", "http://web/"}, prints: nginxPage},
}

// TestExamples runs each example on every cloud where translate says that it would
// run: for real if its images are here, and over simulated containers.
func TestExamples(t *testing.T) {
	for name, run := range map[string]func(*testing.T){"Simulated": simulateExamples, "Real": runExamples} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t)
		})
	}
}

// runExamples applies the examples whose images are here, as they are but for the
// node that they are to run on, and sees what their authors would.
func runExamples(t *testing.T) {
	inContainers(t, func(t *testing.T, c *target) {
		var examples []*example
		for _, name := range runnable(t, c.cloud) {
			if _, forReal := outcomes[name]; forReal {
				examples = append(examples, c.readExample(t, name))
			}
		}
		// Scripts that sleep do not hear that they are to end, and nobody waits for them.
		c.finalGrace = ptr.To[int64](0)
		begun := time.Now()
		c.create(t, c.pod("author", "echo shared page > /share/index.html; "+lasting, c.onShare))
		c.applyExamples(t, examples)
		deleted := c.deleteBusy(t)
		c.awaitPod(t, "author", "ready", isReady)
		for _, e := range examples {
			if e.name != busy {
				c.awaitExample(t, e, func() {})
				t.Run(e.name, func(t *testing.T) { c.checkExample(t, e) })
			}
		}
		c.eventually(t, "the pod of "+busy+" to be gone", func(ctx context.Context) (bool, error) {
			pods, err := c.podsOf(ctx, busyServer)
			return len(pods) == 0, err
		})
		if took := since(deleted); took < busyGrace {
			t.Errorf("the pod of %s was gone after %v, before it had finished", busy, took)
		}
		t.Logf("%d examples run after %v", len(examples), since(begun))
	})
}

// TestExamplesAllRun makes sure that no example which would run is left out, and
// that those whose images are built here run for real.
func TestExamplesAllRun(t *testing.T) {
	layout, err := registry.Start(t.Context(), registry.Options{Layout: builtImages()})
	if err != nil {
		t.Fatal(err)
	}
	built := sets.New(layout.Images()...)
	if err := layout.Close(); err != nil {
		t.Error(err)
	}
	some := sets.New[string]()
	for cloud := range nodes {
		for _, name := range runnable(t, cloud) {
			some.Insert(name)
			_, forReal := outcomes[name]
			if _, unsimulated := onlyReal[name]; unsimulated && !forReal {
				t.Errorf("%s runs on %s neither simulated nor for real", name, cloud)
			}
			if images := imagesOf(t, name); !forReal && built.HasAll(images...) {
				t.Errorf("%s does not run for real on %s, though %v can be had", name, cloud, images)
			}
		}
	}
	for _, names := range [][]string{slices.Collect(maps.Keys(onlyReal)), slices.Collect(maps.Keys(errands)), slices.Collect(maps.Keys(outcomes))} {
		if extra := sets.New(names...).Difference(some); extra.Len() > 0 {
			t.Errorf("not among the examples that would run: %v", sets.List(extra))
		}
	}
}

// busy is the example of a server that goes on for a while when it is told to
// end: for at least as long as its hook takes.
const (
	busy      = "graceful-shutdown"
	busyGrace = 10 * time.Second
)

var busyServer = object{kind: "Deployment", name: "api"}

// deleteBusy deletes the busy server, which goes on answering, and tells when.
func (c *target) deleteBusy(t *testing.T) time.Time {
	t.Helper()
	server := &example{name: busy, objects: []object{busyServer}}
	c.awaitExample(t, server, func() {})
	c.checkExample(t, server)
	begun := time.Now()
	c.mustKubectl(t, "", "delete", "deployment", busyServer.name)
	var pods []corev1.Pod
	c.eventually(t, "the pod of "+busy+" to be told to end", func(ctx context.Context) (_ bool, err error) {
		pods, err = c.podsOf(ctx, busyServer)
		return len(pods) == 1 && pods[0].DeletionTimestamp != nil, err
	})
	if page, err := fetch(t.Context(), "http://"+pods[0].Status.PodIP+serving.at); err != nil {
		t.Errorf("while it ends, the pod of %s answers %q (%v)", busy, page, err)
	}
	return begun
}

// onShare gives a pod the share of the example nfs-share, to write to.
func (c *target) onShare(p *corev1.Pod) {
	p.Spec.Volumes = []corev1.Volume{{Name: "share", VolumeSource: corev1.VolumeSource{
		NFS: &corev1.NFSVolumeSource{Server: "nas-example.cn-hangzhou.nas.aliyuncs.com", Path: "/site"},
	}}}
	p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "share", MountPath: "/share"}}
}

// checkExample sees what the example's author would in each of its pods.
func (c *target) checkExample(t *testing.T, e *example) {
	want := outcomes[e.name]
	for _, o := range e.objects {
		pods, err := c.podsOf(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if len(pods) == 0 {
			t.Errorf("%s %s has no pods", o.kind, o.name)
		}
		for i := range pods {
			c.checkSeen(t, &pods[i], want)
		}
	}
}

// checkSeen looks at a pod until it sees what is wanted: a program is not ready at
// once that has no probe, and the news of a Service take a moment.
func (c *target) checkSeen(t *testing.T, pod *corev1.Pod, want sight) {
	t.Helper()
	for container, pattern := range want.logs {
		c.sees(t, pod, "the log of "+container, pattern, func(ctx context.Context) (string, error) {
			log, err := c.kube.CoreV1().Pods(c.namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: container}).DoRaw(ctx)
			return string(log), err
		})
	}
	if want.at != "" {
		c.sees(t, pod, want.at, want.page, func(ctx context.Context) (string, error) {
			return fetch(ctx, "http://"+pod.Status.PodIP+want.at)
		})
	}
	if len(want.exec) > 0 {
		c.sees(t, pod, fmt.Sprint(want.exec), want.prints, func(ctx context.Context) (string, error) {
			out, err := c.kubectlCommand(ctx, append([]string{"exec", pod.Name, "--"}, want.exec...)...).Output()
			return string(out), err
		})
	}
}

// sees polls until what is to be seen is like a pattern, in which the pod's address
// and node have words of their own.
func (c *target) sees(t *testing.T, pod *corev1.Pod, what, pattern string, look func(context.Context) (string, error)) {
	t.Helper()
	pattern = strings.NewReplacer("POD-ADDRESS", regexp.QuoteMeta(pod.Status.PodIP), "POD-NODE", c.node).Replace(pattern)
	wanted := regexp.MustCompile(pattern)
	var last string
	var failed error
	if wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		last, failed = look(ctx)
		return failed == nil && wanted.MatchString(last), nil
	}) != nil {
		t.Errorf("of pod %s, %s is %q (%v), want %q", pod.Name, what, last, failed, pattern)
	}
}
