package kci

import (
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

func at(hour, minute, second int) time.Time {
	return time.Date(2020, 10, 10, hour, minute, second, 0, time.UTC)
}

// exampleGroup is the group of the example in the KCI document.
func exampleGroup() engine.Group {
	event := func(when time.Time, reason, message string) engine.Event {
		return engine.Event{
			Type: "Normal", Reason: reason, Message: message, Container: "nginx-container",
			Count: 1, First: when, Last: when,
		}
	}
	return engine.Group{
		ID: "9f0c0be6-f6fe-4e29-af1axxxx",
		Spec: &engine.Spec{
			Name: "nginx-kci", Region: "cn-beijing-6", Zone: "cn-beijing-6a",
			Subnet: "f2ac1919-0e34-4812-8290xxxx", VPC: "31e21dca-c92e-4b06-a8cexxxx",
			SecurityGroups: []string{"d46c7672-7ca9xxxx"}, CPU: 2, Memory: 4, RestartPolicy: "Always",
			Containers: []engine.Container{{
				Name: "nginx-container", Image: "nginx", Ports: []engine.Port{{Port: 80, Protocol: "TCP"}},
			}},
			Wire: &wire{chargeType: "HourlyInstantSettlement"},
		},
		Status: engine.Running, IP: "10.0.0.xx", MAC: "fa:16:3e:6e:xx:xx", ENI: "f38892ef-8763-439e-xxxx",
		CreatedAt: at(3, 55, 4), StartedAt: at(3, 55, 12),
		Containers: []engine.ContainerState{{
			Name: "nginx-container", Current: engine.RunState{Kind: engine.KindRunning, StartedAt: at(3, 55, 12)},
		}},
		Events: []engine.Event{
			event(at(3, 55, 7), "Pulling", `Pulling image "nginx"`),
			event(at(3, 55, 12), "Pulled", `Successfully pulled image "nginx"`),
			event(at(3, 55, 12), "Created", "Created container nginx-container"),
			event(at(3, 55, 12), "Started", "Started container nginx-container"),
		},
	}
}

// fullGroup has something in every field that an answer can show.
func fullGroup() engine.Group {
	yes, hours, gpu := true, 48, 1.0
	handler := engine.Handler{Exec: []string{"cat", "/ready"}}
	return engine.Group{
		ID: "9f0c0be6-f6fe-4e29-af1a-00000000000f",
		Spec: &engine.Spec{
			Name: "full", Region: "cn-beijing-6", Zone: "cn-beijing-6b", Subnet: "subnet-1", VPC: "vpc-1",
			SecurityGroups: []string{"sg-1", "sg-2"}, CPU: 4, Memory: 8, RestartPolicy: "OnFailure", InstanceType: "N3.4B",
			DNS: &engine.DNS{
				NameServers: []string{"10.0.0.2"}, Searches: []string{"svc.cluster.local"},
				Options: []engine.NameValue{{Name: "ndots", Value: "5"}, {Name: "rotate"}},
			},
			HostAliases: []engine.HostAlias{{IP: "10.0.0.9", Names: []string{"db", "db.local"}}},
			Volumes: []engine.Volume{
				{Name: "files", Type: "ConfigFileVolume", Files: &engine.Files{
					DefaultMode: 0o644, Items: []engine.File{{Path: "a/b.txt", Content: []byte("never told"), Mode: 0o400}},
				}},
				{Name: "scratch", Type: "EmptyDirVolume", EmptyDir: &engine.EmptyDir{}},
				{Name: "disk", Type: "EBSVolume", Flex: &engine.Flex{
					Driver: "ksyun/ebs", FSType: "ext4", Options: map[string]string{"volumeId": "0f2c9d4e-5b7a-4c1d-8e3f-9a6b2c1d0e5f"},
				}},
				{Name: "share", Type: "NFSVolume", NFS: &engine.NFS{Server: "10.0.0.3", Path: "/share", ReadOnly: true}},
				{Name: "host", Type: "HostPathVolume", HostPath: "/var/log"},
			},
			InitContainers: []engine.Container{{Name: "never-shown", Image: "busybox"}},
			Containers: []engine.Container{
				{
					Name: "app", Image: "app:1", Command: []string{"/app"}, Args: []string{"--flag", ""}, CPU: 0.5, Memory: 1.5,
					GPU: 1, WorkingDir: "/scratch", PullPolicy: "IfNotPresent",
					Env:    []engine.EnvVar{{Name: "A", Value: ""}, {Name: "IP", FieldPath: "status.podIP"}},
					Mounts: []engine.Mount{{Volume: "files", Path: "/etc/app", ReadOnly: true}},
					Liveness: &engine.Probe{
						Handler: engine.Handler{HTTP: &engine.HTTPGet{Scheme: "HTTPS", Path: "/live", Port: 8443}},
						Period:  10 * time.Second, Timeout: time.Second, Success: 1, Failure: 1,
					},
					Readiness: &engine.Probe{
						Handler: handler, InitialDelay: 3 * time.Second, Period: 5 * time.Second,
						Timeout: 2 * time.Second, Success: 2, Failure: 3,
					},
				},
				{Name: "done", Image: "job:1"},
			},
			Wire: &wire{chargeType: "Spot", projectID: 7, retainIP: &yes, retainIPHours: &hours, gpu: &gpu},
		},
		Status: engine.Succeeded, IP: "10.0.0.7", MAC: "fa:16:3e:00:00:07", ENI: "eni-7",
		Tags:      []engine.NameValue{{Name: "cluster-id", Value: "c1"}, {Name: "pod-name", Value: "full"}},
		CreatedAt: at(20, 0, 0), StartedAt: at(20, 0, 5), EndedAt: at(20, 1, 0),
		Containers: []engine.ContainerState{
			{
				Name: "app", RestartCount: 2,
				Current: engine.RunState{Kind: engine.KindWaiting, Reason: "CrashLoopBackOff", Message: "no field for it"},
				Previous: &engine.RunState{
					Kind: engine.KindTerminated, Reason: "Error", ExitCode: 3, StartedAt: at(20, 0, 6), FinishedAt: at(20, 0, 9),
				},
			},
			{Name: "done", Current: engine.RunState{
				Kind: engine.KindTerminated, Reason: "Completed", StartedAt: at(20, 0, 5), FinishedAt: at(20, 1, 0),
			}},
		},
	}
}
