package instance

import "os"

// Client is client.json: how to reach an instance. It holds the path of the secret, not
// the secret.
type Client struct {
	Endpoint         string `json:"endpoint"`
	Authority        string `json:"authority"`
	CAFile           string `json:"ca_file"`
	TenantID         string `json:"tenant_id"`
	SubscriptionID   string `json:"subscription_id"`
	ClientID         string `json:"client_id"`
	ClientSecretFile string `json:"client_secret_file"`
	Driver           string `json:"driver"`
}

// Client tells how to reach the instance.
func (i *Instance) Client() Client {
	return Client{
		Endpoint: i.Endpoint(), Authority: i.Endpoint(), CAFile: i.Path("ca.pem"),
		TenantID: i.Tenant, SubscriptionID: i.Subscription, ClientID: i.ClientID,
		ClientSecretFile: i.Path("client_secret"), Driver: i.Driver,
	}
}

// Started tells whether the instance has ever been up: from then on its driver stays.
func (i *Instance) Started() bool {
	_, err := os.Stat(i.Path("client.json"))
	return err == nil
}

// WriteClient stores client.json, and the authorities that clients may trust.
func (i *Instance) WriteClient() error {
	if err := i.writeBundle(); err != nil {
		return err
	}
	return i.writeJSON("client.json", i.Client())
}
