using System.Net;
using System.Net.Sockets;

namespace WorktreePool.Desync.Tests.Fixture;

/// <summary>Serves a directory over HTTP, as git's plain protocol needs: git refuses submodules from the file system by default.</summary>
internal sealed class StaticServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly string _root;

    public StaticServer(string root)
    {
        _root = root;
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Url = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/";
        }

        _listener.Prefixes.Add(Url);
        _listener.Start();
        _ = ServeAsync();
    }

    public string Url { get; }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext request;
            try
            {
                request = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is ObjectDisposedException or HttpListenerException)
            {
                return;
            }

            string file = Path.Combine(_root, request.Request.Url!.AbsolutePath.TrimStart('/'));
            request.Response.StatusCode = File.Exists(file) ? 200 : 404;
            if (File.Exists(file))
            {
                await request.Response.OutputStream.WriteAsync(await File.ReadAllBytesAsync(file));
            }

            request.Response.Close();
        }
    }
}
