package config

import (
	"slices"
	"strings"
)

// refused explains keys that are left out on purpose: credentials, and keys that other
// tools of the same name have.
func refused(path []string) (fault, bool) {
	key := path[len(path)-1]
	switch {
	case isCredential(key):
		return fault{
			"credentials do not belong in settings files, where they leak into backups and repositories",
			"az login # or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET in the environment",
		}, true
	case strings.HasSuffix(key, "__extend"), strings.HasSuffix(key, "__assign"):
		return fault{"a list replaces the list of the layers below", "write the whole list under the plain key"}, true
	}
	table := leftOutOfTop()
	if path[0] == "providers" {
		table = leftOutOfProvider()
		key = strings.Join(path[min(2, len(path)-1):], ".")
	} else {
		key = path[0]
	}
	f, ok := table[key]
	return f, ok
}

func isCredential(key string) bool {
	return slices.Contains([]string{
		"client_id", "tenant_id", "client_secret", "secret", "password", "admin_password", "token", "access_token",
		"certificate_path", "username", "api_key",
	}, key)
}

func leftOutOfProvider() map[string]fault {
	const remove = "remove the key"
	volume := fault{"a host's data is a Docker volume on its only disk", "remove the key: os_disk_size_gb sizes the disk"}
	wait := fault{"waits end when Azure or the machine says so, and have fixed limits", remove}
	state := fault{"a host's records are in the tags of its machine: there is no storage account", remove}
	return map[string]fault{
		"plugin":                           {"there are no plugins", remove},
		"destroyed_host_persisted_seconds": {"a destroyed host leaves no record", remove},
		"min_online_host_age_seconds":      {"`mngr gc` spares hosts younger than 45 minutes", remove},
		"host_dir":                         {"the directory of mngr inside the container is fixed", remove},
		"host_log_dir":                     {"the directory of mngr inside the container is fixed", remove},
		"volume_home_path":                 volume,
		"btrfs_mount_path":                 volume,
		"btrfs_loop_file_path":             volume,
		"outer_disk_reserved_gb":           volume,
		"default_activity_sources":         {"the idle mode says what counts as activity", "set default_idle_mode"},
		"ssh_connect_timeout":              wait,
		"instance_boot_timeout":            wait,
		"docker_install_timeout":           wait,
		"install_gvisor_runtime":           {"gVisor is not installed on hosts", "use an image that has it, and set docker_runtime = \"runsc\""},
		"builder":                          {"images are built by Docker on the host itself", remove},
		"isolation":                        {"an agent always runs in a container", remove},
		"state_storage_account_name":       state,
		"is_offline_host_dir_enabled":      state,
	}
}

func leftOutOfTop() map[string]fault {
	const remove = "remove the key"
	return map[string]fault{
		"prefix":           {`the prefix of all names is "mngr-" and cannot be changed`, remove},
		"default_host_dir": {"a settings file cannot move the directory it is found in", "set the variable MNGR_HOST_DIR"},
		"agent_types":      {"agent types are built in", "mngr create --help # lists them; another program is -- COMMAND ARGS..."},
		"create_templates": {"there are no templates of `create`", "write its flags into a shell alias"},
		"enabled_backends": {"there is one backend", "set is_enabled = false in the table of an instance"},
		"plugins":          {"there are no plugins", remove},
		"logging":          {"there is no log file; phases, warnings and errors go to standard error", remove},
		"default_destroyed_host_persisted_seconds": {"a destroyed host leaves no record", remove},
		"default_min_online_host_age_seconds":      {"`mngr gc` spares hosts younger than 45 minutes", remove},
		"allow_settings_key_assignment_narrowing":  {"a list replaces the list of the layers below; `mngr config explain` shows both", remove},
	}
}
