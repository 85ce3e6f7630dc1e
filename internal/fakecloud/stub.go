package fakecloud

import (
	"context"
	"testing"

	"github.com/cumulet/cumulet/cloudapi"
)

// Stub is a cloud whose calls are functions of the test. A call that the test
// did not expect, because its function is nil, fails the test.
type Stub struct {
	T testing.TB

	CreateFunc  func(context.Context, cloudapi.GroupSpec, cloudapi.CreateOptions) (string, error)
	DeleteFunc  func(context.Context, string, cloudapi.DeleteOptions) error
	GetFunc     func(context.Context, []string) ([]cloudapi.Group, error)
	ListFunc    func(context.Context, cloudapi.Owner) ([]cloudapi.Summary, error)
	LogsFunc    func(ctx context.Context, id, container string, o cloudapi.LogOptions) (cloudapi.LogChunk, error)
	ExecFunc    func(ctx context.Context, id, container string, o cloudapi.ExecOptions) (int, error)
	MetricsFunc func(context.Context, []string) ([]cloudapi.GroupMetrics, error)
	// LimitsValue is what Limits returns.
	LimitsValue cloudapi.Limits
}

var _ cloudapi.Client = (*Stub)(nil)

// unexpected fails the test and is the error of the call.
func (s *Stub) unexpected(op string) error {
	s.T.Errorf("unexpected call of %s", op)
	return &cloudapi.Error{Op: op, Code: cloudapi.CodeUnknown, Message: "the test expects no such call"}
}

// Create implements cloudapi.Client.
func (s *Stub) Create(ctx context.Context, spec cloudapi.GroupSpec, o cloudapi.CreateOptions) (string, error) {
	if s.CreateFunc == nil {
		return "", s.unexpected("Create")
	}
	return s.CreateFunc(ctx, spec, o)
}

// Delete implements cloudapi.Client.
func (s *Stub) Delete(ctx context.Context, id string, o cloudapi.DeleteOptions) error {
	if s.DeleteFunc == nil {
		return s.unexpected("Delete")
	}
	return s.DeleteFunc(ctx, id, o)
}

// Get implements cloudapi.Client.
func (s *Stub) Get(ctx context.Context, ids []string) ([]cloudapi.Group, error) {
	if s.GetFunc == nil {
		return nil, s.unexpected("Get")
	}
	return s.GetFunc(ctx, ids)
}

// List implements cloudapi.Client.
func (s *Stub) List(ctx context.Context, owner cloudapi.Owner) ([]cloudapi.Summary, error) {
	if s.ListFunc == nil {
		return nil, s.unexpected("List")
	}
	return s.ListFunc(ctx, owner)
}

// Logs implements cloudapi.Client.
func (s *Stub) Logs(ctx context.Context, id, container string, o cloudapi.LogOptions) (cloudapi.LogChunk, error) {
	if s.LogsFunc == nil {
		return cloudapi.LogChunk{}, s.unexpected("Logs")
	}
	return s.LogsFunc(ctx, id, container, o)
}

// Exec implements cloudapi.Client.
func (s *Stub) Exec(ctx context.Context, id, container string, o cloudapi.ExecOptions) (int, error) {
	if s.ExecFunc == nil {
		return 0, s.unexpected("Exec")
	}
	return s.ExecFunc(ctx, id, container, o)
}

// Metrics implements cloudapi.Client.
func (s *Stub) Metrics(ctx context.Context, ids []string) ([]cloudapi.GroupMetrics, error) {
	if s.MetricsFunc == nil {
		return nil, s.unexpected("Metrics")
	}
	return s.MetricsFunc(ctx, ids)
}

// Limits implements cloudapi.Client.
func (s *Stub) Limits() cloudapi.Limits { return s.LimitsValue }
