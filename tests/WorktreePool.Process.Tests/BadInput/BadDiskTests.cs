using System.Diagnostics;
using System.Text.Json;

namespace WorktreePool.Process.Tests.BadInput;

/// <summary>Disks that cannot be written, made by mounts that only the command's own process sees.</summary>
public sealed class BadDiskTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    private string State => Path.Combine(_sandbox.PoolDirectory, "state");

    private string Copies => Path.Combine(_sandbox.PoolDirectory, "state-copy");

    private static readonly string[] Changing = ["claim --key K", "run --key K -- true", "release --key HELD", "pause", "trust", "init --repo REPO --slots 3"];

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(CanMount(), "Mounts are not permitted here (unshare --map-root-user --mount), so no disk can be made read-only or full.");
        await _sandbox.InitAsync(2);
        (await _sandbox.RunAsync("claim", "--key", "HELD")).Code.Should().Be(0);
    }

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task On_a_read_only_disk_whatever_changes_a_pool_is_refused()
    {
        string[] readOnly = Mounting($"mount --bind '{_sandbox.Root}' '{_sandbox.Root}' && mount -o remount,ro,bind '{_sandbox.Root}'");
        foreach (string command in Changing)
        {
            await _sandbox.ShouldRefuseAsync(70, "Read-only file system", new Invocation(command.Replace("REPO", _sandbox.Repository, StringComparison.Ordinal).Split(' ')) { Wrapper = readOnly });
        }
    }

    [Fact]
    public async Task On_a_read_only_disk_a_pool_can_be_looked_at()
    {
        string[] readOnly = Mounting($"mount --bind '{_sandbox.Root}' '{_sandbox.Root}' && mount -o remount,ro,bind '{_sandbox.Root}'");
        foreach (string command in new[] { "status", "history", "config", "rescue list", "doctor" })
        {
            (int code, string output, string error) = await _sandbox.RunAsync(new Invocation(command.Split(' ')) { Wrapper = readOnly });
            code.Should().Be(0, $"{command}: {output}{error}");
        }
    }

    [Fact]
    public Task A_new_pool_on_a_read_only_disk_is_refused() => _sandbox.ShouldRefuseAsync(
        70, "Read-only file system",
        new Invocation("init", "--repo", _sandbox.Repository, "--pool", Path.Combine(_sandbox.Root, "second"))
        {
            Wrapper = Mounting($"mount --bind '{_sandbox.Root}' '{_sandbox.Root}' && mount -o remount,ro,bind '{_sandbox.Root}'"),
        });

    [Theory]
    [InlineData("claim --key K")]
    [InlineData("claim-many --key K")]
    [InlineData("release --key HELD")]
    [InlineData("pause")]
    public async Task On_a_full_disk_the_state_stays_as_it_was(string command)
    {
        // With their journals the next versions would need no space.
        foreach (string journal in Directory.EnumerateFiles(Copies))
        {
            File.Delete(journal);
        }

        var before = DirectoryTree.Read(_sandbox.PoolDirectory);
        (int code, JsonElement json) = await RunOnFullDiskAsync(command, Copies);

        code.Should().Be(70);
        json.GetProperty("message").GetString().Should().ContainAll("No space left on device", "It is as it was", "disk's space");

        // The number in the lock says only whether others must read the state again.
        before.ShouldBeUnchanged("the disk was full", except: Path.Combine("state", "store.lock"));
        (await _sandbox.RunAsync("release", "--key", "HELD")).Code.Should().Be(0, "with space again it works");
    }

    [Theory]
    [InlineData("claim --key K", 0)]
    [InlineData("claim-many --key K", 0)]
    [InlineData("release --key HELD", 2)]
    [InlineData("pause", 1)]
    public async Task On_a_full_disk_a_pool_in_use_goes_on(string command, int free)
    {
        foreach (string directory in new[] { State, Copies })
        {
            (int code, JsonElement json) = await RunOnFullDiskAsync(command, directory);

            code.Should().Be(0, $"each next version is written over one before: {json}");
            JsonElement status = (await _sandbox.JsonAsync("status")).Json;
            status.GetProperty("counts").GetProperty("free").GetInt32().Should().Be(free);
            if (directory == State)
            {
                (await _sandbox.RunAsync(command.StartsWith("claim", StringComparison.Ordinal) ? "release --key K".Split(' ') : command == "pause" ? ["resume"] : ["claim", "--key", "HELD"])).Code.Should().Be(0);
            }
        }
    }

    [Fact]
    public async Task A_new_pool_on_a_full_disk_says_so_and_is_made_when_there_is_space()
    {
        string place = Path.Combine(_sandbox.Root, "small");
        Directory.CreateDirectory(place);
        var before = DirectoryTree.Read(_sandbox.Repository);
        string[] full = Mounting($"mount -t tmpfs -o size=64k,mode=755 none '{place}' && {{ head -c 1M /dev/zero > '{place}/fill' 2>/dev/null; true; }}");

        (int code, JsonElement json) = await _sandbox.JsonAsync(new Invocation("init", "--repo", _sandbox.Repository, "--pool", Path.Combine(place, "pool")) { Wrapper = full });

        code.Should().Be(70);
        json.GetProperty("message").GetString().Should().ContainAll("No space left on device", "disk's space");
        before.ShouldBeUnchanged("no slot could be made");
        (await _sandbox.RunAsync("init", "--repo", _sandbox.Repository, "--pool", Path.Combine(place, "pool"), "--slots", "1")).Code.Should().Be(0);
    }

    /// <summary>Runs a command while one directory of the state lies on a small disk of its own, filled to the last byte, and puts back what the disk holds afterwards.</summary>
    private async Task<(int Code, JsonElement Json)> RunOnFullDiskAsync(string command, string directory)
    {
        (string copy, string after) = (Path.Combine(_sandbox.Root, "copy"), Path.Combine(_sandbox.Root, "after"));
        string[] full = Mounting(
            $"cp -a '{directory}' '{copy}' && mount -t tmpfs -o size=128k,mode=755 none '{directory}' && cp -a '{copy}/.' '{directory}' && {{ head -c 1M /dev/zero > '{directory}/fill' 2>/dev/null; true; }}",
            $"rm '{directory}/fill' && cp -a '{directory}' '{after}'");
        (int, JsonElement) end = await _sandbox.JsonAsync(new Invocation(command.Split(' ')) { Wrapper = full });
        Directory.Delete(copy, true);
        Directory.Delete(directory, true);
        Directory.Move(after, directory);
        return end;
    }

    /// <summary>A wrapper that mounts, runs the command, and does something afterwards, in a mount namespace of its own: the mount ends with the command.</summary>
    private static string[] Mounting(string mount, string afterwards = "true") =>
        ["unshare", "--map-root-user", "--mount", "sh", "-c", $"{mount} || exit 99; \"$@\"; code=$?; {afterwards} || exit 98; exit $code", "sh"];

    private static bool CanMount()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        using var probe = System.Diagnostics.Process.Start(new ProcessStartInfo("unshare", ["--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]) { RedirectStandardError = true })!;
        probe.WaitForExit();
        return probe.ExitCode == 0;
    }
}
