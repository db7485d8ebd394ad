import koapy

with koapy.connect() as client:
    client.login()
    print(client.daily("005930", rows=5)[["일자", "현재가", "거래량"]])
    with client.buy("005930", 10) as order:
        print(order.result().filled)
    with client.realtime("005930") as ticks:
        for _ in range(5):
            print(next(ticks).price)
