using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Web;
using System.Web.Hosting;

/// <summary>Serves the ASP.NET application of a folder on 127.0.0.1: Host.exe FOLDER PORT.</summary>
public sealed class Host : MarshalByRefObject
{
    public static void Main(string[] arguments)
    {
        Host host = (Host)ApplicationHost.CreateApplicationHost(typeof(Host), "/", arguments[0]);
        TcpListener listener = new TcpListener(IPAddress.Loopback, int.Parse(arguments[1]));
        // Its page is compiled before anybody may ask.
        host.Answer(Encoding.ASCII.GetBytes("GET /told.aspx HTTP/1.1\r\n\r\n"));
        listener.Start();
        while (true)
        {
            using (TcpClient client = listener.AcceptTcpClient())
            using (NetworkStream stream = client.GetStream())
            {
                byte[] head = Head(stream);
                if (head.Length > 0)
                {
                    byte[] answer = host.Answer(head);
                    stream.Write(answer, 0, answer.Length);
                }
            }
        }
    }

    private static byte[] Head(Stream stream)
    {
        MemoryStream head = new MemoryStream();
        for (int ended = 0, one; ended < 4 && (one = stream.ReadByte()) >= 0; )
        {
            head.WriteByte((byte)one);
            ended = one == (ended % 2 == 0 ? '\r' : '\n') ? ended + 1 : one == '\r' ? 1 : 0;
        }
        return head.ToArray();
    }

    public override object InitializeLifetimeService()
    {
        return null;
    }

    /// <summary>Within the application's own domain.</summary>
    public byte[] Answer(byte[] head)
    {
        OneRequest request = new OneRequest(head);
        HttpRuntime.ProcessRequest(request);
        request.Ended.WaitOne();
        return request.Response();
    }
}

/// <summary>The headers are given to ASP.NET decoded as UTF-8, as IIS does.</summary>
internal sealed class OneRequest : SimpleWorkerRequest
{
    public readonly ManualResetEvent Ended = new ManualResetEvent(false);

    private readonly Dictionary<string, string> headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
    private readonly MemoryStream body = new MemoryStream();
    private readonly StringBuilder lines = new StringBuilder();

    public OneRequest(byte[] head) : base("told.aspx", "", null)
    {
        string[] all = Encoding.UTF8.GetString(head).Split(new[] { "\r\n" }, StringSplitOptions.RemoveEmptyEntries);
        for (int at = 1; at < all.Length; at++)
        {
            int colon = all[at].IndexOf(':');
            headers[all[at].Substring(0, colon)] = all[at].Substring(colon + 1).Trim();
        }
    }

    public override string GetUnknownRequestHeader(string name)
    {
        return headers.ContainsKey(name) ? headers[name] : null;
    }

    public override string GetKnownRequestHeader(int index)
    {
        return GetUnknownRequestHeader(GetKnownRequestHeaderName(index));
    }

    public override string[][] GetUnknownRequestHeaders()
    {
        List<string[]> found = new List<string[]>();
        foreach (KeyValuePair<string, string> one in headers)
        {
            if (GetKnownRequestHeaderIndex(one.Key) < 0)
            {
                found.Add(new[] { one.Key, one.Value });
            }
        }
        return found.ToArray();
    }

    public override void SendStatus(int code, string why)
    {
        lines.Insert(0, "HTTP/1.1 " + code + " " + why + "\r\n");
    }

    public override void SendKnownResponseHeader(int index, string value)
    {
        SendUnknownResponseHeader(GetKnownResponseHeaderName(index), value);
    }

    public override void SendUnknownResponseHeader(string name, string value)
    {
        if (name != "Content-Length" && name != "Connection")
        {
            lines.Append(name + ": " + value + "\r\n");
        }
    }

    public override void SendResponseFromMemory(byte[] data, int length)
    {
        body.Write(data, 0, length);
    }

    public override void FlushResponse(bool last)
    {
        if (last)
        {
            Ended.Set();
        }
    }

    public byte[] Response()
    {
        byte[] head = Encoding.ASCII.GetBytes(lines + "Content-Length: " + body.Length + "\r\nConnection: close\r\n\r\n");
        MemoryStream all = new MemoryStream();
        all.Write(head, 0, head.Length);
        body.WriteTo(all);
        return all.ToArray();
    }
}
