using System.Security.Cryptography;
using System.Text;

namespace WorktreePool.Postgres;

/// <summary>Which machine goes by a host's name.</summary>
/// <param name="Name">The name, as in records.</param>
/// <param name="Boot">Of this start of the machine; empty where the system has none.</param>
/// <param name="Machine">Of the machine, the same after each start; null where it cannot be told.</param>
internal sealed record HostIdentity(string Name, string Boot, string? Machine)
{
    private static readonly string[] Files = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

    /// <summary>This machine, under the name that it has in records.</summary>
    public static HostIdentity Of(ProcessIdentity process) => new(process.Host, process.BootId, ReadMachine());

    private static string? ReadMachine()
    {
        try
        {
            string? id = OperatingSystem.IsWindows()
                ? Microsoft.Win32.Registry.GetValue(@"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Cryptography", "MachineGuid", null) as string
                : Files.Where(File.Exists).Select(File.ReadAllText).FirstOrDefault();

            // The system asks not to show it to others as it is: machine-id(5).
            return string.IsNullOrWhiteSpace(id) ? null : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("worktree-pool\n" + id.Trim())))[..32];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.SecurityException)
        {
            return null;
        }
    }
}
