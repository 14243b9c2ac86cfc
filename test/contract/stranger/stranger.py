"""A program of somebody who knows Azure and has never seen mngr: with Microsoft's SDK for
Python, and the variables that `mngr azure local env` exports, it makes a machine with its
network, looks at it, deallocates it and removes everything. The network's provider is left to
the SDK, which registers it when it is refused for that, and looks again after ten seconds."""

import os

from azure.core.exceptions import ResourceNotFoundError
from azure.identity import EnvironmentCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource import ResourceManagementClient

GROUP, LOCATION = "python", "westus"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMVd0BPLUhBMUGBEmtv3OVTQGsKjwJOjHGvHNLxvkDrH stranger"


def client(kind, credential, **more):
    endpoint = os.environ["AZURE_RESOURCE_MANAGER_ENDPOINT"]
    return kind(credential, os.environ["AZURE_SUBSCRIPTION_ID"], base_url=endpoint,
                credential_scopes=["https://management.core.windows.net//.default"], polling_interval=1, **more)


def connect(network):
    """Makes network, subnet, public address and an interface, and returns its id."""
    network.virtual_networks.begin_create_or_update(
        GROUP, "net", {"location": LOCATION, "address_space": {"address_prefixes": ["10.9.0.0/16"]}}).result()
    subnet = network.subnets.begin_create_or_update(GROUP, "net", "sub", {"address_prefix": "10.9.1.0/24"}).result()
    address = network.public_ip_addresses.begin_create_or_update(
        GROUP, "ip", {"location": LOCATION, "sku": {"name": "Standard"}, "public_ip_allocation_method": "Static"}).result()
    nic = network.network_interfaces.begin_create_or_update(GROUP, "nic", {
        "location": LOCATION, "ip_configurations": [{"name": "ip", "subnet": {"id": subnet.id}, "public_ip_address": {"id": address.id}}]}).result()
    print("interface made:", nic.ip_configurations[0].private_ip_address, address.ip_address)
    return nic.id


def show(vms):
    for status in vms.instance_view(GROUP, "vm").statuses:
        print("machine is:", status.display_status)


def live(vms, nic):
    """Takes a machine through its life."""
    vm = vms.begin_create_or_update(GROUP, "vm", {
        "location": LOCATION,
        "hardware_profile": {"vm_size": "Standard_B2s"},
        "os_profile": {"computer_name": "vm", "admin_username": "azureuser", "linux_configuration": {
            "disable_password_authentication": True,
            "ssh": {"public_keys": [{"path": "/home/azureuser/.ssh/authorized_keys", "key_data": KEY}]}}},
        "storage_profile": {
            "image_reference": {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"},
            "os_disk": {"create_option": "FromImage"}},
        "network_profile": {"network_interfaces": [{"id": nic}]}}).result()
    print("machine made:", vm.provisioning_state)
    show(vms)
    vms.begin_deallocate(GROUP, "vm").result()
    show(vms)
    vms.begin_delete(GROUP, "vm").result()
    try:
        vms.get(GROUP, "vm")
    except ResourceNotFoundError as gone:
        print("machine deleted:", gone.error.code)


def main():
    credential = EnvironmentCredential(instance_discovery=False)
    resources = client(ResourceManagementClient, credential)
    resources.resource_groups.create_or_update(GROUP, {"location": LOCATION})
    print("group made")
    resources.providers.register("Microsoft.Compute")
    live(client(ComputeManagementClient, credential).virtual_machines, connect(client(NetworkManagementClient, credential)))
    resources.resource_groups.begin_delete(GROUP).result()
    print("group deleted:", not resources.resource_groups.check_existence(GROUP))


main()
