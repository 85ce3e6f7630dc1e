package simulated

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// prefix begins the names of script variables.
const prefix = "SIM_"

// script is what SIM_ variables make a container do.
type script struct {
	// ends is true if the run time and exit codes below hold.
	ends      bool
	run       time.Duration
	exitCodes []int

	log      []string
	logEvery time.Duration
	logCount int

	readyAfter, unhealthyAfter, oomAfter, termAfter time.Duration
	termExit                                        int

	pull      *time.Duration
	pullError string

	cores  float64
	memory uint64 // bytes
}

// What a container uses that does not say.
const (
	defaultCores  = 0.01
	defaultMemory = 16 << 20 // bytes
)

// exitTerminated and exitKilled are 128 plus TERM and KILL.
const (
	exitTerminated = 143
	exitKilled     = 137
)

// setters read the variables by name.
var setters = map[string]func(s *script, value string) error{
	"SIM_RUN": func(s *script, v string) error {
		s.ends = true
		return duration(v, &s.run)
	},
	"SIM_EXIT":          setExitCodes,
	"SIM_EXIT_SEQUENCE": setExitCodes,
	"SIM_CRASH": func(s *script, v string) error {
		crash, err := strconv.ParseBool(v)
		if err != nil {
			return fmt.Errorf("want true or false")
		}
		if crash {
			s.ends, s.exitCodes = true, []int{1}
		}
		return nil
	},
	"SIM_LOG": func(s *script, v string) error {
		s.log = strings.Split(strings.ReplaceAll(v, `\n`, "\n"), "\n")
		return nil
	},
	"SIM_LOG_EVERY": func(s *script, v string) error { return period(v, &s.logEvery) },
	"SIM_LOG_COUNT": func(s *script, v string) (err error) {
		s.logCount, err = count(v)
		return err
	},
	"SIM_READY_AFTER":     func(s *script, v string) error { return duration(v, &s.readyAfter) },
	"SIM_UNHEALTHY_AFTER": func(s *script, v string) error { return period(v, &s.unhealthyAfter) },
	"SIM_OOM_AFTER":       func(s *script, v string) error { return period(v, &s.oomAfter) },
	"SIM_TERM_AFTER":      func(s *script, v string) error { return duration(v, &s.termAfter) },
	"SIM_TERM_EXIT": func(s *script, v string) (err error) {
		s.termExit, err = exitCode(v)
		return err
	},
	"SIM_PULL": func(s *script, v string) error {
		s.pull = new(time.Duration)
		return duration(v, s.pull)
	},
	"SIM_PULL_ERROR": func(s *script, v string) error {
		s.pullError = v
		return nil
	},
	"SIM_CPU": func(s *script, v string) (err error) {
		s.cores, err = strconv.ParseFloat(v, 64)
		if err != nil || s.cores < 0 || s.cores > 1024 {
			return fmt.Errorf("want a number of cores")
		}
		return nil
	},
	"SIM_MEMORY": func(s *script, v string) error {
		mebibytes, err := count(v)
		s.memory = uint64(mebibytes) << 20
		return err
	},
}

// parseScript reads the script of a container. The error names the variable and
// what would be right.
func parseScript(env []engine.EnvVar) (script, error) {
	s := script{termExit: exitTerminated, cores: defaultCores, memory: defaultMemory}
	for _, e := range env {
		if !strings.HasPrefix(e.Name, prefix) {
			continue
		}
		set, ok := setters[e.Name]
		if !ok {
			return script{}, fmt.Errorf("environment variable %s is no script variable of the simulated runtime", e.Name)
		}
		if err := set(&s, e.Value); err != nil {
			return script{}, fmt.Errorf("environment variable %s=%q: %w", e.Name, e.Value, err)
		}
	}
	return s, nil
}

func setExitCodes(s *script, value string) error {
	s.ends, s.exitCodes = true, nil
	for text := range strings.SplitSeq(value, ",") {
		code, err := exitCode(strings.TrimSpace(text))
		if err != nil {
			return err
		}
		s.exitCodes = append(s.exitCodes, code)
	}
	return nil
}

// exitCode is the code of the n-th run, counted from 0.
func (s *script) exitCode(n int) int {
	if len(s.exitCodes) == 0 {
		return 0
	}
	return s.exitCodes[min(n, len(s.exitCodes)-1)]
}

func duration(text string, d *time.Duration) error {
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed < 0 {
		return fmt.Errorf("want a duration such as 300ms or 1m30s")
	}
	*d = parsed
	return nil
}

// period is a duration that is not zero.
func period(text string, d *time.Duration) error {
	if err := duration(text, d); err != nil || *d > 0 {
		return err
	}
	return fmt.Errorf("want more than zero")
}

func exitCode(text string) (int, error) {
	code, err := strconv.Atoi(text)
	if err != nil || code < 0 || code > 255 {
		return 0, fmt.Errorf("want an exit code between 0 and 255")
	}
	return code, nil
}

func count(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1<<30 {
		return 0, fmt.Errorf("want a number that is not negative")
	}
	return n, nil
}
