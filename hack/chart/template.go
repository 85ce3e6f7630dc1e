package main

import (
	"fmt"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
)

// release is what helm is told about one installation.
type release struct {
	name      string
	namespace string
	values    map[string]any
	// cluster answers the chart's look-ups; nil is helm template, which finds
	// nothing.
	cluster engine.ClientProvider
}

// rendered is what comes out: one document per object, in the order in which
// helm installs them, and the text that helm shows afterwards.
type rendered struct {
	objects []string
	notes   string
}

// template renders the chart in a folder as helm does, the values' schema
// included.
func template(folder string, r release) (rendered, error) {
	chart, err := loader.Load(folder)
	if err != nil {
		return rendered{}, fmt.Errorf("loading chart: %w", err)
	}
	options := common.ReleaseOptions{Name: r.name, Namespace: r.namespace, Revision: 1, IsInstall: true}
	values, err := util.ToRenderValues(chart, r.values, options, nil)
	if err != nil {
		return rendered{}, fmt.Errorf("checking values: %w", err)
	}
	var files map[string]string
	if r.cluster == nil {
		files, err = engine.Render(chart, values)
	} else {
		files, err = engine.RenderWithClientProvider(chart, values, r.cluster)
	}
	if err != nil {
		return rendered{}, fmt.Errorf("rendering templates: %w", err)
	}
	return arrange(files)
}

func arrange(files map[string]string) (rendered, error) {
	var result rendered
	for name, text := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			result.notes = strings.TrimSpace(text)
			delete(files, name)
		}
	}
	// The chart has no hooks; whoever adds one has to decide what the plain
	// manifests do instead.
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return rendered{}, fmt.Errorf("sorting manifests: %w", err)
	}
	if len(hooks) > 0 {
		return rendered{}, fmt.Errorf("%s: plain manifests cannot have hooks", hooks[0].Path)
	}
	for _, m := range manifests {
		result.objects = append(result.objects, strings.TrimSpace(m.Content))
	}
	return result, nil
}
