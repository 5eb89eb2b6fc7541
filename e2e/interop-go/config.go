package main

import (
	"encoding/hex"
	"fmt"

	"github.com/hashicorp/memberlist"
)

// options are the program's only argument, as JSON.
type options struct {
	Name        string `json:"name"`
	Bind        string `json:"bind"`
	Profile     string `json:"profile"`
	Key         string `json:"key"`
	Compression *bool  `json:"compression"`
	Meta        []byte `json:"meta"`
	State       []byte `json:"state"`
}

// configOf is one of memberlist's own profiles, listening at any free port of one address.
func configOf(o options) (*memberlist.Config, error) {
	profiles := map[string]func() *memberlist.Config{
		"lan":   memberlist.DefaultLANConfig,
		"wan":   memberlist.DefaultWANConfig,
		"local": memberlist.DefaultLocalConfig,
	}
	profile, known := profiles[o.Profile]
	if !known {
		return nil, fmt.Errorf("unknown profile %q", o.Profile)
	}
	key, err := hex.DecodeString(o.Key)
	if err != nil {
		return nil, err
	}
	config := profile()
	config.Name = o.Name
	config.BindAddr = o.Bind
	config.BindPort = 0
	config.LogOutput = logLines{}
	if len(key) > 0 {
		config.SecretKey = key
	}
	if o.Compression != nil {
		config.EnableCompression = *o.Compression
	}
	return config, nil
}
