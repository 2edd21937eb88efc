package main

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/sidegate/sidegate/pkg/explain"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/render"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
)

// dirFlag names a directory of manifests.
const dirFlag = "filename"

// manifestsFlag adds the flag that names a directory of manifests.
func manifestsFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVarP(dir, dirFlag, "f", "", "the directory of manifests, or one file; directories below it belong to it")
}

// dirSource reads manifests with the classes and the ConfigMap of the flags.
func (o *options) dirSource(dir string) (snapshot.Dir, error) {
	if dir == "" {
		return snapshot.Dir{}, errors.New("-f must name a directory of manifests")
	}
	configMap, err := objectName("configmap", o.configMap)
	if configMap == (types.NamespacedName{}) {
		configMap = types.NamespacedName{Namespace: "ingress-nginx", Name: "ingress-nginx-controller"}
	}
	return snapshot.Dir{Path: dir, Classes: o.classes(), ConfigMap: configMap}, err
}

// offline is what manifests make without a cluster and without an nginx.
type offline struct {
	snapshot   *snapshot.Snapshot
	translator translate.Options
	renderer   *render.Renderer
	output     translate.Output
}

// readManifests takes manifests as far as the model. info is about the nginx
// that is to serve it, if one is known.
func (o *options) readManifests(ctx context.Context, dir string, info nginx.Info) (*offline, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	source, err := o.dirSource(dir)
	if err != nil {
		return nil, err
	}
	out := &offline{}
	if out.snapshot, err = source.Snapshot(ctx); err != nil {
		return nil, err
	}
	if out.translator, err = o.translateOptions(info); err != nil {
		return nil, err
	}
	address, err := o.discovery()
	if err != nil {
		return nil, err
	}
	out.translator.Resolvers = []string{address.String()}
	var overlay fs.FS
	if o.templateDir != "" {
		overlay = os.DirFS(o.templateDir)
	}
	if out.renderer, err = render.New(overlay); err != nil {
		return nil, err
	}
	out.output = translate.New(out.translator).Translate(translate.Input{Snapshot: out.snapshot})
	return out, nil
}

// endpoints are those that the manifests' EndpointSlices name.
func (m *offline) endpoints() explain.Endpoints {
	out := explain.Endpoints{}
	for i := range m.output.Config.Upstreams {
		u := &m.output.Config.Upstreams[i]
		key := types.NamespacedName{Namespace: u.Backend.Namespace, Name: u.Backend.Service}
		for name, r := range translate.Records(u, m.snapshot.Services[key], m.snapshot.EndpointSlices[key]) {
			out[name] = r.Addrs
		}
	}
	return out
}
