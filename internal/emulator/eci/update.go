package eci

import (
	"reflect"
	"slices"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// updateContainerGroup changes a group in Pending or Running.
func (s *Server) updateContainerGroup(c *call, r *updateRequest) (any, error) {
	if err := checkToken(r.ClientToken); err != nil {
		return nil, err
	}
	r.unfold(modeUpdate)
	_, err := s.tokens.once(c.request.Context(), s.clock.Now(), c, func() (string, error) {
		return "", s.update(r)
	})
	return plainAnswer{c.id}, err
}

func (s *Server) update(r *updateRequest) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	g, err := s.groups.Get(r.ContainerGroupID)
	if err != nil {
		return err
	}
	if g.Status != engine.Pending && g.Status != engine.Running {
		return engine.ErrState
	}
	old := wireOf(&g)
	updated, err := apply(old, g.Tags, r)
	if err != nil {
		return err
	}
	spec, err := s.admit(updated)
	if err != nil {
		return err
	}
	if err := keepSize(&g, r, updated, &spec); err != nil {
		return err
	}
	return s.store(&g, old, updated, spec)
}

// store hands over what has changed. Tags alone restart nothing.
func (s *Server) store(g *engine.Group, old, updated *createRequest, spec engine.Spec) error {
	sameTags := slices.Equal(g.Tags, spec.Tags)
	bare := func(r *createRequest) createRequest {
		c := *r
		c.Tags = nil
		return c
	}
	sameRest := reflect.DeepEqual(bare(old), bare(updated))
	if sameTags && sameRest {
		return fail(codeNoNeedUpdate, "The container group is already as requested.")
	}
	if !sameRest {
		if err := s.attach(&spec, g.ID, func() error { return s.groups.Update(g.ID, spec) }); err != nil {
			return err
		}
	}
	if !sameTags {
		return s.groups.SetTags(g.ID, spec.Tags)
	}
	return nil
}

// keepSize holds a group to the size it was sold with, unless the request names a
// new one.
func keepSize(g *engine.Group, r *updateRequest, updated *createRequest, spec *engine.Spec) error {
	if r.CPU != nil || r.Memory != nil {
		return nil
	}
	sum := containerSum(updated, updated.CPU == nil && updated.Memory == nil)
	if sum.cpu > g.Spec.CPU+tolerance || sum.memory > g.Spec.Memory+tolerance {
		return fail(codeUpdateSize, "The containers do not fit into the group's %g vCPU and %g GiB.",
			g.Spec.CPU, g.Spec.Memory)
	}
	spec.CPU, spec.Memory = g.Spec.CPU, g.Spec.Memory
	return nil
}

// apply is the request that a group would have been created with, had it been
// created as it is after the update. It shares lists with old but changes none.
func apply(old *createRequest, tags []engine.NameValue, r *updateRequest) (*createRequest, error) {
	updated := *old
	updated.Tags = tagsFrom(tags)
	updated.RestartPolicy = orDefault(r.RestartPolicy, old.RestartPolicy)
	updated.ResourceGroupID = orDefault(r.ResourceGroupID, old.ResourceGroupID)
	replace(&updated.CPU, r.CPU)
	replace(&updated.Memory, r.Memory)
	if r.DNSConfig != nil {
		updated.DNSConfig = r.DNSConfig
	}
	if r.Credentials != nil {
		updated.Credentials = r.Credentials
	}
	if r.UpdateType == "IncrementalUpdate" {
		if err := increment(&updated, r); err != nil {
			return nil, err
		}
	} else {
		renew(&updated, r)
	}
	keepNamed(updated.Containers, old.Containers, containerKey)
	keepNamed(updated.InitContainers, old.InitContainers, initKey)
	keepNamed(updated.Volumes, old.Volumes, volumeKey)
	return &updated, nil
}

func containerKey(c *containerParams) string { return c.Name }
func initKey(c *initContainer) string        { return c.Name }
func volumeKey(v *volumeParams) string       { return v.Name }
func fileKey(f *fileToPath) string           { return f.Path }

// renew takes over the lists that a RenewUpdate gives.
func renew(updated *createRequest, r *updateRequest) {
	if r.Tags != nil {
		updated.Tags = r.Tags
	}
	if r.Containers != nil {
		updated.Containers = slices.Clone(r.Containers)
	}
	if r.InitContainers != nil {
		updated.InitContainers = slices.Clone(r.InitContainers)
	}
	if r.Volumes != nil {
		updated.Volumes = slices.Clone(r.Volumes)
	}
}

// tagsFrom are a group's tags as a request would name them.
func tagsFrom(tags []engine.NameValue) []tag {
	var out []tag
	for _, t := range tags {
		out = append(out, tag{Key: t.Name, Value: t.Value})
	}
	return out
}

// replace overwrites a number that is given.
func replace[T any](dst **T, given *T) {
	if given != nil {
		*dst = given
	}
}

// increment merges the lists of an IncrementalUpdate by name.
func increment(updated *createRequest, r *updateRequest) error {
	updated.Tags = slices.Clone(updated.Tags)
	for _, t := range r.Tags {
		at := slices.IndexFunc(updated.Tags, func(have tag) bool { return have.Key == t.Key })
		if at < 0 {
			updated.Tags = append(updated.Tags, t)
			continue
		}
		updated.Tags[at] = t
	}
	var err error
	if updated.Containers, err = mergeNamed(updated.Containers, r.Containers, containerKey); err != nil {
		return err
	}
	if updated.InitContainers, err = mergeNamed(updated.InitContainers, r.InitContainers, initKey); err != nil {
		return err
	}
	updated.Volumes, err = mergeNamed(updated.Volumes, r.Volumes, volumeKey)
	return err
}

// mergeNamed overlays the given items on those of the same name.
func mergeNamed[T any](have, given []T, name func(*T) string) ([]T, error) {
	merged := slices.Clone(have)
	for i := range given {
		wanted := name(&given[i])
		at := slices.IndexFunc(merged, func(t T) bool { return name(&t) == wanted })
		if at < 0 {
			return nil, fail(codeNotFound, "The container group has no container or volume %q.", wanted)
		}
		overlay(reflect.ValueOf(&merged[at]).Elem(), reflect.ValueOf(&given[i]).Elem())
	}
	return merged, nil
}

// overlay copies every field of src that is given into dst. Structs that are held
// by value only group parameters and are merged; all else is replaced.
func overlay(dst, src reflect.Value) {
	for i := range src.NumField() {
		switch field := src.Field(i); {
		case field.IsZero():
		case field.Kind() == reflect.Struct && src.Type().Field(i).Anonymous:
			overlay(dst.Field(i), field)
		default:
			dst.Field(i).Set(field)
		}
	}
}

// keepNamed restores in each item what only Create can say, such as a file's mode,
// from the old item of the same name: an update does not reset it.
func keepNamed[T any](items, old []T, name func(*T) string) {
	for i := range items {
		at := slices.IndexFunc(old, func(o T) bool { return name(&o) == name(&items[i]) })
		if at >= 0 {
			keep(reflect.ValueOf(&items[i]).Elem(), reflect.ValueOf(&old[at]).Elem())
		}
	}
}

func keep(dst, old reflect.Value) {
	for i := range dst.NumField() {
		field := dst.Field(i)
		switch {
		case field.Type() == reflect.TypeFor[[]fileToPath]():
			files, oldFiles := slices.Clone(filesOf(field)), filesOf(old.Field(i))
			keepNamed(files, oldFiles, fileKey)
			field.Set(reflect.ValueOf(files))
		case field.Kind() == reflect.Struct:
			keep(field, old.Field(i))
		case field.IsZero() && dst.Type().Field(i).Tag.Get("only") == string(modeCreate):
			field.Set(old.Field(i))
		}
	}
}

// filesOf is a field that holds files; none if it does not.
func filesOf(field reflect.Value) []fileToPath {
	files, _ := reflect.TypeAssert[[]fileToPath](field)
	return files
}
