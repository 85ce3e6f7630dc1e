package kci

import (
	"strings"
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// containerAnswer is an element of Containers. Init containers are in no answer.
type containerAnswer struct {
	Name            string        `json:"Name"`
	Commands        []string      `json:"Commands"`
	Args            []string      `json:"Args"`
	EnvironmentVars []envAnswer   `json:"EnvironmentVars"`
	CPU             *float64      `json:"Cpu"`
	Memory          *float64      `json:"Memory"`
	WorkingDir      *string       `json:"WorkingDir"`
	Image           string        `json:"Image"`
	LivenessProbe   *probeAnswer  `json:"LivenessProbe"`
	ReadinessProbe  *probeAnswer  `json:"ReadinessProbe"`
	Ports           []portAnswer  `json:"Ports"`
	VolumeMounts    []mountAnswer `json:"VolumeMounts"`
	RestartCount    int           `json:"RestartCount"`
	CurrentState    *stateAnswer  `json:"CurrentState"`
	PreviousState   *stateAnswer  `json:"PreviousState"`
	// Events is null always: the KCI document has it in its example alone.
	Events []eventAnswer `json:"Events"`
	*containerExtras
}

// containerExtras is what the SDKs know of a container beyond the KCI document.
type containerExtras struct {
	GPU             *float64 `json:"Gpu"`
	ImagePullPolicy *string  `json:"ImagePullPolicy"`
}

type envAnswer struct {
	Key       string           `json:"Key"`
	Value     *string          `json:"Value"`
	ValueFrom *valueFromAnswer `json:"ValueFrom,omitempty"`
}

type valueFromAnswer struct {
	FieldRef fieldRefAnswer `json:"FieldRef"`
}

type fieldRefAnswer struct {
	FieldPath string `json:"FieldPath"`
}

type portAnswer struct {
	Protocol string `json:"Protocol"`
	Port     int    `json:"Port"`
}

type mountAnswer struct {
	Name      string `json:"Name"`
	MountPath string `json:"MountPath"`
	ReadOnly  bool   `json:"ReadOnly"`
}

// stateAnswer is CurrentState or PreviousState. The only state that the KCI
// document shows is running; the other words follow Kubernetes.
type stateAnswer struct {
	StartTime  *string `json:"StartTime"`
	FinishTime *string `json:"FinishTime"`
	State      string  `json:"State"`
	Reason     *string `json:"Reason"`
	ExitCode   *int    `json:"ExitCode"`
}

// probeAnswer tells a probe with the numbers that are in force.
type probeAnswer struct {
	InitialDelaySeconds int            `json:"InitialDelaySeconds"`
	PeriodSeconds       int            `json:"PeriodSeconds"`
	TimeoutSeconds      int            `json:"TimeoutSeconds"`
	SuccessThreshold    int            `json:"SuccessThreshold"`
	FailureThreshold    int            `json:"FailureThreshold"`
	HTTPGet             *httpGetAnswer `json:"HttpGet"`
	Exec                *commandAnswer `json:"Exec"`
	TCPSocket           *socketAnswer  `json:"TcpSocket"`
}

type httpGetAnswer struct {
	Port   int    `json:"Port"`
	Path   string `json:"Path"`
	Scheme string `json:"Scheme"`
}

// commandAnswer says Commands for what a request calls Command.
type commandAnswer struct {
	Commands []string `json:"Commands"`
}

type socketAnswer struct {
	Port int `json:"Port"`
}

func (s *Server) containerAnswers(g *engine.Group) []containerAnswer {
	states := map[string]engine.ContainerState{}
	for _, state := range g.Containers {
		states[state.Name] = state
	}
	answers := []containerAnswer{}
	for i := range g.Spec.Containers {
		c := &g.Spec.Containers[i]
		state, known := states[c.Name]
		if !known {
			state.Current.Kind = engine.KindWaiting // nobody has told of it yet
		}
		answers = append(answers, s.containerAnswer(c, &state))
	}
	return answers
}

func (s *Server) containerAnswer(c *engine.Container, state *engine.ContainerState) containerAnswer {
	a := containerAnswer{
		Name:            c.Name,
		Commands:        notNull(c.Command),
		Args:            notNull(c.Args),
		EnvironmentVars: envAnswers(c.Env),
		CPU:             numberOrNull(c.CPU),
		Memory:          numberOrNull(c.Memory),
		WorkingDir:      textOrNull(c.WorkingDir),
		Image:           c.Image,
		LivenessProbe:   newProbeAnswer(c.Liveness),
		ReadinessProbe:  newProbeAnswer(c.Readiness),
		Ports:           []portAnswer{},
		RestartCount:    state.RestartCount,
		CurrentState:    newStateAnswer(&state.Current),
		PreviousState:   newStateAnswer(state.Previous),
	}
	for _, port := range c.Ports {
		a.Ports = append(a.Ports, portAnswer{port.Protocol, port.Port})
	}
	for _, mount := range c.Mounts {
		a.VolumeMounts = append(a.VolumeMounts, mountAnswer{mount.Volume, mount.Path, mount.ReadOnly})
	}
	if s.options.Dialect != Seed {
		a.containerExtras = &containerExtras{numberOrNull(c.GPU), textOrNull(c.PullPolicy)}
	}
	return a
}

func envAnswers(env []engine.EnvVar) []envAnswer {
	answers := []envAnswer{}
	for _, v := range env {
		a := envAnswer{Key: v.Name}
		if v.FieldPath != "" {
			a.ValueFrom = &valueFromAnswer{fieldRefAnswer{v.FieldPath}}
		} else {
			a.Value = &v.Value
		}
		answers = append(answers, a)
	}
	return answers
}

func newStateAnswer(run *engine.RunState) *stateAnswer {
	if run == nil {
		return nil
	}
	a := &stateAnswer{State: strings.ToLower(run.Kind), Reason: textOrNull(run.Reason)}
	switch run.Kind {
	case engine.KindRunning:
		a.StartTime = instant(run.StartedAt)
	case engine.KindTerminated:
		a.StartTime, a.FinishTime = instant(run.StartedAt), instant(run.FinishedAt)
		a.ExitCode = &run.ExitCode
	}
	return a
}

func newProbeAnswer(p *engine.Probe) *probeAnswer {
	if p == nil {
		return nil
	}
	a := &probeAnswer{
		InitialDelaySeconds: int(p.InitialDelay / time.Second),
		PeriodSeconds:       int(p.Period / time.Second),
		TimeoutSeconds:      int(p.Timeout / time.Second),
		SuccessThreshold:    p.Success,
		FailureThreshold:    p.Failure,
	}
	switch {
	case p.HTTP != nil:
		a.HTTPGet = &httpGetAnswer{p.HTTP.Port, p.HTTP.Path, p.HTTP.Scheme}
	case p.TCP != nil:
		a.TCPSocket = &socketAnswer{p.TCP.Port}
	default:
		a.Exec = &commandAnswer{p.Exec}
	}
	return a
}
