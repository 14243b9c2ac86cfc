// Command publicclient is a client of the local Azure that knows Azure's own names alone:
// Microsoft's SDK in its default configuration, and the environment.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("made a group and removed it")
}

func run(ctx context.Context) error {
	cred, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return err
	}
	groups, err := armresources.NewResourceGroupsClient(os.Getenv("AZURE_SUBSCRIPTION_ID"), cred, nil)
	if err != nil {
		return err
	}
	if _, err := groups.CreateOrUpdate(ctx, "public", armresources.ResourceGroup{Location: new("eastus")}, nil); err != nil {
		return err
	}
	deletion, err := groups.BeginDelete(ctx, "public", nil)
	if err != nil {
		return err
	}
	if _, err := deletion.PollUntilDone(ctx, nil); err != nil {
		return fmt.Errorf("the polling URL: %w", err)
	}
	return nil
}
