package emulator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/cumulet/cumulet/internal/emulator/admin"
	"github.com/cumulet/cumulet/internal/emulator/eci"
	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/fault"
	"github.com/cumulet/cumulet/internal/emulator/kci"
	"github.com/cumulet/cumulet/internal/emulator/simulated"
)

// The servers' bounds. An exec session takes its connection over, which ends
// all of them.
const (
	// headerLimit is far above net/http's 1 MiB, since ECI's SDK puts config
	// files into the URL (all parameters of its calls go there).
	headerLimit   = 32 << 20 // bytes
	headerTimeout = 30 * time.Second
	readTimeout   = time.Minute
	// writeTimeout leaves room for the longest delay that a fault may make.
	writeTimeout = 10 * time.Minute
	idleTimeout  = 2 * time.Minute
	// closeLimit is how long Close waits for handlers.
	closeLimit = 10 * time.Second
)

// Emulator is both clouds and their admin API. Use New.
type Emulator struct {
	options Options
	clouds  []*cloud
	servers []*server

	serving context.Context
	cancel  context.CancelFunc
	loops   sync.WaitGroup
	close   sync.Once

	// entrance guards closed, so that no handler begins once Close waits.
	entrance sync.Mutex
	closed   bool
	handlers sync.WaitGroup
}

// cloud is one cloud.
type cloud struct {
	admin.Cloud
	handler   http.Handler
	simulated *simulated.Runtime // nil if the runtime is somebody else's
}

// server is one listener.
type server struct {
	name, address string
	http          *http.Server
	listener      net.Listener
}

// New puts the clouds together; nothing listens before Start. Call Close also
// if Start was never called.
func New(o Options) *Emulator {
	o.complete()
	e := &Emulator{options: o}
	e.serving, e.cancel = context.WithCancel(context.Background())
	e.clouds = []*cloud{e.newECI(), e.newKCI()}
	var views []admin.Cloud
	for _, c := range e.clouds {
		views = append(views, c.Cloud)
	}
	e.servers = []*server{
		e.newServer("eci", o.ECI.Address, e.clouds[0].handler),
		e.newServer("kci", o.KCI.Address, e.clouds[1].handler),
		e.newServer("admin", o.AdminAddress, admin.New(o.Clock, views)),
	}
	return e
}

func (e *Emulator) newECI() *cloud {
	o := &e.options
	c := e.newCloud("eci", o.ECI, engine.Options{
		NewID:     func() string { return "eci-" + lowerText(20) },
		Retention: engine.ECIRetention,
	})
	options := eci.Options{
		Groups: c.Faults.Groups(c.Engine), Clock: o.Clock, Region: o.ECI.Region,
		Keys: []eci.AccessKey{{ID: o.ECI.AccessKeyID, Secret: o.ECI.AccessKeySecret}},
	}
	if o.Quotas {
		options.Quotas = eci.PublishedQuotas()
	}
	c.serve(eci.New(options))
	return c
}

func (e *Emulator) newKCI() *cloud {
	o := &e.options
	c := e.newCloud("kci", o.KCI, engine.Options{NewID: uuid.NewString, NewInterfaceID: uuid.NewString})
	c.serve(kci.New(kci.Options{
		Groups: c.Faults.Groups(c.Engine), Clock: o.Clock, Region: o.KCI.Region, Dialect: o.KCIDialect,
		Keys: []kci.AccessKey{{ID: o.KCI.AccessKeyID, Secret: o.KCI.AccessKeySecret}},
	}))
	return c
}

// newCloud makes a cloud without its front.
func (e *Emulator) newCloud(name string, o Cloud, options engine.Options) *cloud {
	l := e.options.Latency
	c := &cloud{Cloud: admin.Cloud{
		Name:   name,
		Faults: fault.NewSet(e.options.Clock, e.options.Seed),
		Calls:  admin.NewCalls(e.options.Clock),
	}}
	options.Runtime = o.Runtime
	if o.Runtime == nil {
		c.simulated = simulated.New(simulated.Options{Clock: e.options.Clock, Latency: simulated.Latency{
			Pull: l.Pull, Create: l.Create, Start: l.Start, Stop: l.Stop,
		}})
		c.SetFate = c.simulated.SetFate
		options.Runtime = c.simulated
	}
	options.Clock, options.Addresses = e.options.Clock, o.Addresses
	options.Latency.Schedule = l.Schedule
	options.Admit = c.Faults.Admit
	c.Engine = engine.New(options)
	return c
}

// serve puts the front behind the faults and the counters.
func (c *cloud) serve(front fault.Front) {
	c.handler = c.Calls.Wrap(c.Faults.Wrap(front), front.Action)
}

func (e *Emulator) newServer(name, address string, handler http.Handler) *server {
	if address == "" {
		address = "127.0.0.1:0"
	}
	return &server{name: name, address: address, http: &http.Server{
		Handler:           e.counted(handler),
		MaxHeaderBytes:    headerLimit,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		BaseContext: func(net.Listener) context.Context { return e.serving },
		ErrorLog:    e.options.ErrorLog,
	}}
}

// counted lets Close wait for handlers, which http.Server does not do for those
// that have taken their connection over.
func (e *Emulator) counted(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !e.enter() {
			panic(http.ErrAbortHandler)
		}
		defer e.handlers.Done()
		handler.ServeHTTP(w, r)
	})
}

// enter counts a handler, unless the emulator is closed.
func (e *Emulator) enter() bool {
	e.entrance.Lock()
	defer e.entrance.Unlock()
	if !e.closed {
		e.handlers.Add(1)
	}
	return !e.closed
}

// Start listens and serves until Close, or until ctx ends. If an address cannot
// be had, nothing is served and the emulator is closed.
func (e *Emulator) Start(ctx context.Context) error {
	var listen net.ListenConfig
	for _, s := range e.servers {
		listener, err := listen.Listen(ctx, "tcp", s.address)
		if err != nil {
			return errors.Join(fmt.Errorf("listening for %s on %s: %w", s.name, s.address, err), e.Close())
		}
		s.listener = listener
	}
	for _, s := range e.servers {
		e.loops.Go(func() {
			if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
				e.options.ErrorLog.Printf("serving %s: %v", s.name, err)
			}
		})
	}
	context.AfterFunc(ctx, func() {
		if err := e.Close(); err != nil {
			e.options.ErrorLog.Printf("closing the emulated clouds: %v", err)
		}
	})
	return nil
}

// Close ends all connections, groups and containers, and waits for them. Later
// calls do nothing.
func (e *Emulator) Close() error {
	var err error
	e.close.Do(func() { err = e.shut() })
	return err
}

func (e *Emulator) shut() error {
	e.entrance.Lock()
	e.closed = true
	e.entrance.Unlock()
	e.cancel()
	var errs []error
	for _, s := range e.servers {
		if err := s.http.Close(); err != nil {
			errs = append(errs, fmt.Errorf("closing the listener of %s: %w", s.name, err))
		}
		if s.listener != nil {
			_ = s.listener.Close() // closed already if it was served
		}
	}
	e.loops.Wait()
	for _, c := range e.clouds {
		c.Engine.Close()
		if c.simulated != nil {
			c.simulated.Close()
		}
	}
	ended := make(chan struct{})
	go func() {
		e.handlers.Wait()
		close(ended)
	}()
	// On the machine's clock: an injected one may stand still.
	patience, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	select {
	case <-ended:
	case <-patience.Done():
		errs = append(errs, fmt.Errorf("waiting for calls to end: still some after %v", closeLimit))
	}
	return errors.Join(errs...)
}

// Config tells clients how to reach the clouds. Endpoints are empty before Start.
func (e *Emulator) Config() Config {
	o := &e.options
	return Config{
		ECI:   CloudConfig{e.servers[0].endpoint(), o.ECI.Region, o.ECI.AccessKeyID, o.ECI.AccessKeySecret},
		KCI:   CloudConfig{e.servers[1].endpoint(), o.KCI.Region, o.KCI.AccessKeyID, o.KCI.AccessKeySecret},
		Admin: AdminConfig{e.servers[2].endpoint()},
	}
}

func (s *server) endpoint() string {
	if s.listener == nil {
		return ""
	}
	return "http://" + s.listener.Addr().String()
}

// randomText is n random letters and digits.
func randomText(n int) string { return pick(n, letters+"ABCDEFGHIJKLMNOPQRSTUVWXYZ") }

// lowerText is n random small letters and digits.
func lowerText(n int) string { return pick(n, letters) }

const letters = "0123456789abcdefghijklmnopqrstuvwxyz"

// pick draws n characters. The slight bias of the remainder does not matter for
// names and for keys of this length.
func pick(n int, from string) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read never fails
	for i := range b {
		b[i] = from[int(b[i])%len(from)]
	}
	return string(b)
}
