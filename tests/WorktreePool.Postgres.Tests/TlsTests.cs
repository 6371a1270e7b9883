using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Npgsql;

namespace WorktreePool.Postgres.Tests;

/// <summary>A connection across a network, as docs/fleet.md says it. The server is one of its own, with a certificate.</summary>
public sealed class TlsTests : IAsyncLifetime
{
    private readonly PostgresServer _server = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task All_connections_are_encrypted_to_a_server_that_proves_who_it_is()
    {
        using var pool = new FleetPool(_server);
        using X509Certificate2 certificate = Certificate(), other = Certificate();
        string place = await _server.ListenAsync(certificate.ExportCertificatePem(), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await using PostgresSlotStateStore store = pool.Open(connectionString: $"{place};SSL Mode=VerifyFull;Root Certificate={FileOf(certificate)}");
        await store.CheckInAsync(Token);
        await using IAsyncDisposable? held = await store.TryLockSlotAsync("slot-0", Token);
        held.Should().NotBeNull();
        (await CountAsync(ssl: true)).Should().Be(2, "one of the pool, one with the lock");
        (await CountAsync(ssl: false)).Should().Be(0);

        await using PostgresSlotStateStore deceived = pool.Open("host-b", $"{place};Password=hunter2;SSL Mode=VerifyFull;Root Certificate={FileOf(other)}");
        (await deceived.Awaiting(s => s.CheckInAsync(Token).AsTask()).Should().ThrowAsync<StateStoreException>())
            .Which.Message.Should().Contain("certificate").And.Contain("Root Certificate").And.NotContain("hunter2");
    }

    private string FileOf(X509Certificate2 certificate)
    {
        string file = Path.Combine(_server.Directory, certificate.Thumbprint + ".pem");
        File.WriteAllText(file, certificate.ExportCertificatePem());
        return file;
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=a database", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private async Task<long> CountAsync(bool ssl)
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(_server.ConnectionString);
        await using NpgsqlCommand command = source.CreateCommand($"SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = '{PostgresServer.Dispatcher}' AND ssl = {ssl}");
        return (long)(await command.ExecuteScalarAsync(Token))!;
    }
}
