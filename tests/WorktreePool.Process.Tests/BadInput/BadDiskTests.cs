using System.Diagnostics;
using System.Text.Json;

namespace WorktreePool.Process.Tests.BadInput;

/// <summary>Disks that cannot be written, made by mounts that only the command's own process sees.</summary>
public sealed class BadDiskTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    private string State => Path.Combine(_sandbox.PoolDirectory, "state");

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
        // With the files that the next versions would be written into they would need no more space.
        foreach (string spare in Directory.EnumerateFiles(State, "*.spare"))
        {
            File.Delete(spare);
        }

        string state = State, after = Path.Combine(_sandbox.Root, "after");
        var before = DirectoryTree.Read(_sandbox.PoolDirectory);
        (int code, JsonElement json) = await _sandbox.JsonAsync(new Invocation(command.Split(' ')) { Wrapper = OnFullDisk($"cp -a '{state}' '{after}'") });

        code.Should().Be(70);
        json.GetProperty("message").GetString().Should().ContainAll("No space left on device", "It is as it was", "disk's space");
        Directory.Delete(Path.Combine(_sandbox.Root, "copy"), true);
        Directory.Delete(state, true);
        Directory.Move(after, state);

        // The number in the lock says only whether others must read the state again.
        before.ShouldBeUnchanged("the disk was full", except: Path.Combine("state", "store.lock"));
        (await _sandbox.RunAsync("release", "--key", "HELD")).Code.Should().Be(0, "with space again it works");
    }

    [Fact]
    public async Task On_a_full_disk_a_slot_that_was_used_can_be_released()
    {
        string after = Path.Combine(_sandbox.Root, "after");
        (int code, JsonElement json) = await _sandbox.JsonAsync(new Invocation("release", "--key", "HELD") { Wrapper = OnFullDisk($"cp -a '{State}' '{after}'") });

        code.Should().Be(0, json.ToString());
        Directory.Delete(State, true);
        Directory.Move(after, State);
        JsonElement status = (await _sandbox.JsonAsync("status")).Json;
        status.GetProperty("counts").GetProperty("free").GetInt32().Should().Be(2);
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

    /// <summary>A wrapper that mounts, runs the command, and does something afterwards, in a mount namespace of its own.</summary>
    /// <summary>The state on a small disk of its own, filled to the last byte. What it holds afterwards must be copied out, for the mount ends with the command.</summary>
    private string[] OnFullDisk(string afterwards) => Mounting(
        $"cp -a '{State}' '{_sandbox.Root}/copy' && mount -t tmpfs -o size=128k,mode=755 none '{State}' && cp -a '{_sandbox.Root}/copy/.' '{State}' && {{ head -c 1M /dev/zero > '{State}/fill' 2>/dev/null; true; }}",
        $"rm '{State}/fill' && {afterwards}");

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
