using System.Diagnostics;
using WorktreePool.Runtime;

namespace WorktreePool.Tests.Runtime;

/// <summary>Real processes, found through /proc by where they stand and what they have open.</summary>
public sealed class WorkingProcessesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("worktree-pool-working-").FullName;
    private readonly List<Process> _started = [];

    public void Dispose()
    {
        foreach (Process process in _started)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task A_process_is_found_by_its_current_directory_and_by_an_open_file()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "there is no /proc");
        string slot = Make("slot-1");
        string below = Make("slot-1/below");
        int inside = await StartAsync(below, "echo ready; exec sleep 600");
        int open = await StartAsync(_root, $"exec 3>'{slot}/open.txt'; echo ready; exec sleep 600");
        int deleted = await StartAsync(_root, $"exec 3>'{slot}/gone.txt'; rm '{slot}/gone.txt'; echo ready; exec sleep 600");

        Find(slot).Should().BeEquivalentTo([inside, open, deleted]);
        new ProcessTable().FindIn(slot).Should().OnlyContain(process => !process.IsStarting, "children that have become their program are no copies of this process");
    }

    [Fact]
    public async Task A_process_is_found_that_has_only_mapped_a_file()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "there is no /proc");
        string slot = Make("slot-1");
        File.WriteAllText(Path.Combine(slot, "mapped.bin"), new string('x', 4096));
        const string Map = "import ctypes,os,signal,sys; f=os.open(sys.argv[1],os.O_RDWR); c=ctypes.CDLL(None); c.mmap.restype=ctypes.c_void_p; c.mmap(None,ctypes.c_size_t(4096),3,1,f,ctypes.c_long(0)); os.close(f); print('ready',flush=True); signal.pause()";
        int mapped = await StartAsync(_root, $"exec python3 -c \"{Map}\" '{slot}/mapped.bin'");

        Find(slot).Should().Equal(mapped);
    }

    [Fact]
    public async Task A_process_in_a_directory_whose_name_only_begins_alike_is_not_found()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "there is no /proc");
        string slot = Make("slot-1");
        await StartAsync(Make("slot-10"), "echo ready; exec sleep 600");
        await StartAsync(_root, "echo ready; exec sleep 600");

        Find(slot).Should().BeEmpty();
    }

    private static IEnumerable<int> Find(string slot) => new ProcessTable().FindIn(slot).Select(process => process.Identity.Pid);

    private string Make(string name) => Directory.CreateDirectory(Path.Combine(_root, name)).FullName;

    private async Task<int> StartAsync(string directory, string script)
    {
        Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-euc", script]) { WorkingDirectory = directory, RedirectStandardOutput = true })!;
        _started.Add(process);
        (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).Should().Be("ready");
        return process.Id;
    }
}
